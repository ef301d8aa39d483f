/** Where vi's motions lead, as pure functions of text, cursor and count; operators and plain moves share the table. */
import { moveByGraphemes, nextBoundary } from './graphemes.ts';
import { offsetAtColumn } from './display-width.ts';
import type { ViFind, ViState } from './vi-state.ts';
import { nextWordStart, previousWordStart, wordEnd } from './vi-words.ts';
import { isBlank, lineEnd, lineStart } from './words.ts';

export interface MotionInput {
  readonly text: string;
  readonly cursor: number;
  readonly count: number;
  readonly vi: ViState;
  /** The key after f, F, t, T and `. */
  readonly character: string;
}

export interface Motion {
  /** @returns undefined where there is no such place. */
  to(input: MotionInput): number | undefined;
  /** Going forward, an operator takes the character arrived at, too. */
  readonly isInclusive: boolean;
  readonly wantsCharacter?: boolean;
}

const exclusive = (to: Motion['to']): Motion => ({ to, isInclusive: false });
const inclusive = (to: Motion['to']): Motion => ({ to, isInclusive: true });

export const motions: ReadonlyMap<string, Motion> = new Map([
  ['h', exclusive(charactersBack)],
  ['C-h', exclusive(charactersBack)],
  ['backspace', exclusive(charactersBack)],
  ['left', exclusive(charactersBack)],
  ['l', exclusive(charactersOn)],
  [' ', exclusive(charactersOn)],
  ['right', exclusive(charactersOn)],
  ['0', exclusive(({ text, cursor }) => lineStart(text, cursor))],
  ['home', exclusive(({ text, cursor }) => lineStart(text, cursor))],
  ['^', exclusive(({ text, cursor }) => firstPrinting(text, lineStart(text, cursor)))],
  ['$', exclusive(({ text, cursor }) => lineEnd(text, cursor))],
  ['end', exclusive(({ text, cursor }) => lineEnd(text, cursor))],
  ['|', exclusive(column)],
  ['w', exclusive(repeated((text, at) => nextWordStart(text, at, false)))],
  ['W', exclusive(repeated((text, at) => nextWordStart(text, at, true)))],
  ['b', exclusive(repeated((text, at) => previousWordStart(text, at, false)))],
  ['B', exclusive(repeated((text, at) => previousWordStart(text, at, true)))],
  ['e', inclusive(repeated((text, at) => wordEnd(text, at, false)))],
  ['E', inclusive(repeated((text, at) => wordEnd(text, at, true)))],
  ['f', finding('f')],
  ['F', finding('F')],
  ['t', finding('t')],
  ['T', finding('T')],
  [';', inclusive((input) => findAgain(input, false))],
  [',', inclusive((input) => findAgain(input, true))],
  ['%', inclusive(({ text, cursor }) => matchingBracket(text, cursor))],
  ['`', { to: ({ vi, character }) => vi.marks.get(character), isInclusive: false, wantsCharacter: true }],
]);

function charactersBack({ text, cursor, count }: MotionInput): number {
  return Math.max(lineStart(text, cursor), moveByGraphemes(text, cursor, -count));
}

function charactersOn({ text, cursor, count }: MotionInput): number {
  return Math.min(lineEnd(text, cursor), moveByGraphemes(text, cursor, count));
}

function firstPrinting(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== '\n' && isBlank(text, at)) at++;
  return at;
}

function column({ text, cursor, count }: MotionInput): number {
  const start = lineStart(text, cursor);
  return start + offsetAtColumn(text.slice(start, lineEnd(text, cursor)), count - 1);
}

function repeated(step: (text: string, at: number) => number): Motion['to'] {
  return ({ text, cursor, count }) => {
    let at = cursor;
    for (let left = count; left > 0; left--) {
      const next = step(text, at);
      if (next === at) break;
      at = next;
    }
    return at;
  };
}

function finding(kind: ViFind['kind']): Motion {
  const to: Motion['to'] = (input) => {
    if (input.character === '') return undefined;
    const find = { kind, character: input.character };
    input.vi.find = find;
    return place(input, find);
  };
  return { to, isInclusive: kind === 'f' || kind === 't', wantsCharacter: true };
}

function findAgain(input: MotionInput, isTurned: boolean): number | undefined {
  const { find } = input.vi;
  if (find === undefined) return undefined;
  const turned = { f: 'F', F: 'f', t: 'T', T: 't' } as const;
  return place(input, isTurned ? { ...find, kind: turned[find.kind] } : find);
}

/** The `count`th such character on the cursor's line; t and T stop just before it. */
function place({ text, cursor, count }: MotionInput, { kind, character }: ViFind): number | undefined {
  const isForward = kind === 'f' || kind === 't';
  const start = lineStart(text, cursor);
  const end = lineEnd(text, cursor);
  let at = cursor;
  for (let left = count; left > 0; left--) {
    at = isForward ? text.indexOf(character, at + 1) : at <= start ? -1 : text.lastIndexOf(character, at - 1);
    if (at < start || at >= end) return undefined;
  }
  if (kind === 't') return moveByGraphemes(text, at, -1);
  return kind === 'T' ? nextBoundary(text, at) : at;
}

/** From the first bracket at or after the cursor to the one that closes or opens it. */
function matchingBracket(text: string, cursor: number): number | undefined {
  const pairs = '()[]{}';
  let at = cursor;
  while (at < text.length && !pairs.includes(text.charAt(at))) at++;
  if (at >= text.length) return undefined;
  const own = text.charAt(at);
  const number = pairs.indexOf(own);
  const other = pairs.charAt(number ^ 1);
  const step = number % 2 === 0 ? 1 : -1;
  let depth = 0;
  for (; at >= 0 && at < text.length; at += step) {
    if (text[at] === own) depth++;
    else if (text[at] === other && --depth === 0) return at;
  }
  return undefined;
}
