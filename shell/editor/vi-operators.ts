/** d, c and y with a motion, with themselves for the line, and the keys that stand for such pairs. */
import type { EditorCommand, EditorState, Submode } from './editor-state.ts';
import { nextBoundary } from './graphemes.ts';
import type { Key } from './key-event.ts';
import { makeChange } from './vi-insert.ts';
import { type Motion, motions } from './vi-motions.ts';
import { isBlank, lineEnd, lineStart } from './words.ts';

export type Operator = 'd' | 'c' | 'y';

interface Target {
  readonly motion: Motion | 'line';
  /** The motion's key: `cw` is not what c and w would make. */
  readonly key: string;
  readonly count: number;
  readonly character: string;
}

/** `d`, `c` or `y` alone: waits for the motion. */
export function operatorCommand(operator: Operator): EditorCommand {
  return (state, { count }) => {
    state.submode = new PendingOperator(state, operator, count);
  };
}

/** `D` is `d$`, `x` is `dl`, and so on. */
export function operatorWith(operator: Operator, key: string): EditorCommand {
  return (state, invocation) => operate(state, operator, targetOf(operator, key, invocation.count));
}

class PendingOperator implements Submode {
  readonly #state: EditorState;
  readonly #operator: Operator;
  readonly #count: number;
  #digits = '';
  #awaiting: Key | undefined;

  constructor(state: EditorState, operator: Operator, count: number) {
    this.#state = state;
    this.#operator = operator;
    this.#count = count;
  }

  handle(key: Key): 'stay' | 'done' | 'pass' {
    if (key.name === 'C-c') return 'pass';
    if (this.#awaiting !== undefined) return this.#operate(this.#awaiting.name, key.text);
    if (/^[1-9]$/.test(key.name) || (key.name === '0' && this.#digits !== '')) {
      this.#digits += key.name;
      return 'stay';
    }
    if (key.name === this.#operator) return this.#operate(key.name, '');
    const motion = motions.get(key.name);
    if (motion === undefined) {
      if (key.name !== 'escape') this.#state.bell();
      return 'done';
    }
    if (motion.wantsCharacter !== true) return this.#operate(key.name, '');
    this.#awaiting = key;
    return 'stay';
  }

  paste(): 'pass' {
    return 'pass';
  }

  #operate(key: string, character: string): 'done' {
    const count = this.#count * (this.#digits === '' ? 1 : Math.min(Number(this.#digits), 1_000_000));
    operate(this.#state, this.#operator, { ...targetOf(this.#operator, key, count), character });
    return 'done';
  }
}

function targetOf(operator: Operator, key: string, count: number): Target {
  const motion = key === operator ? 'line' : motions.get(key);
  if (motion === undefined) throw new Error(`no motion ${key}`);
  return { motion, key, count, character: '' };
}

function operate(state: EditorState, operator: Operator, target: Target): void {
  if (operator === 'y') return yankTarget(state, target);
  makeChange(
    state,
    (count) => removeTarget(state, operator, count === undefined ? target : { ...target, count }),
    operator === 'c',
  );
}

function yankTarget(state: EditorState, target: Target): void {
  const range = rangeOf(state, 'y', target);
  if (range === undefined) return state.bell();
  state.killRing.add(state.buffer.text.slice(range.start, range.end), undefined);
}

function removeTarget(state: EditorState, operator: Operator, target: Target): void {
  const range = rangeOf(state, operator, target);
  if (range === undefined) return state.bell();
  const { buffer } = state;
  state.killRing.add(buffer.text.slice(range.start, range.end), undefined);
  buffer.replace(range.start, range.end, '');
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function rangeOf(state: EditorState, operator: Operator, target: Target): Range | undefined {
  const { text, cursor } = state.buffer;
  const { motion, count, character } = target;
  if (motion === 'line') return rangeOfLines(text, cursor, count, operator);
  const to = motion.to({ text, cursor, count, vi: state.vi, character });
  if (to === undefined) return undefined;
  if (operator === 'c' && /^w$/i.test(target.key)) return { start: cursor, end: endOfChangedWord(text, cursor, to) };
  if (to < cursor) return { start: to, end: cursor };
  const end = motion.isInclusive ? nextBoundary(text, to) : to;
  return end === cursor ? undefined : { start: cursor, end };
}

/** `cw` leaves the white space after the word; on white space it changes one character. */
function endOfChangedWord(text: string, cursor: number, to: number): number {
  let end = to;
  while (end > cursor && isBlank(text, end - 1)) end--;
  return end === cursor ? nextBoundary(text, cursor) : end;
}

/** Whole lines; deleting takes one of the newlines around them too. */
function rangeOfLines(text: string, cursor: number, count: number, operator: Operator): Range {
  const start = lineStart(text, cursor);
  let end = lineEnd(text, cursor);
  for (let left = count; left > 1 && end < text.length; left--) end = lineEnd(text, end + 1);
  if (operator !== 'd') return { start, end };
  if (end < text.length) return { start, end: end + 1 };
  return { start: Math.max(0, start - 1), end };
}
