/** vi's commands that are neither motions nor operators. */
import { type EditorCommand, type EditorState, takeNextKey } from './editor-state.ts';
import { argumentOf } from './history-commands.ts';
import { moveByGraphemes, nextBoundary } from './graphemes.ts';
import { beginInsert, makeChange } from './vi-insert.ts';
import { type Motion, motions } from './vi-motions.ts';
import { lineEnd, lineStart } from './words.ts';

/** i, a, I, A: where typing begins. */
function insertAt(place: (text: string, cursor: number) => number): EditorCommand {
  return (state) => {
    const { buffer } = state;
    const apply = (): void => {
      buffer.cursor = place(buffer.text, buffer.cursor);
    };
    makeChange(state, apply, true);
  };
}

export const insertHere = insertAt((_text, cursor) => cursor);
export const insertAtStart = insertAt(lineStart);
export const append = insertAt((text, cursor) => Math.min(lineEnd(text, cursor), nextBoundary(text, cursor)));
export const appendAtEnd = insertAt(lineEnd);

/** R: typing goes over what stands there. */
export const replaceMode: EditorCommand = (state) => {
  makeChange(
    state,
    () => {
      state.isOverwriting = true;
    },
    true,
  );
};

/** p and P. */
export function put(isAfter: boolean): EditorCommand {
  return (state, { count }) => {
    makeChange(state, (again) => putText(state, isAfter, again ?? count), false);
  };
}

/** r: so many characters become the next key's. */
export const replaceCharacter: EditorCommand = (state, { count }) => {
  takeNextKey(state, (key) => {
    if (key.name === 'escape' || key.name === 'C-c') return;
    const character = key.name === 'enter' ? '\n' : key.raw;
    makeChange(state, (again) => replaceWith(state, character, again ?? count), false);
  });
};

/** ~ */
export const changeCase: EditorCommand = (state, { count }) => {
  makeChange(state, (again) => flipCase(state, again ?? count), false);
};

/** m: names this place for `. */
export const nameMark: EditorCommand = (state) => {
  takeNextKey(state, ({ text }) => {
    if (/^[a-z]$/.test(text)) state.vi.marks.set(text, state.buffer.cursor);
    else state.bell();
  });
};

/** G: the oldest entry, or the one with the number given, 1 being the oldest. */
export const fetchHistory: EditorCommand = (state, { count, isExplicit }) => {
  if (!state.walk.go(isExplicit ? count - 1 : 0)) state.bell();
  state.buffer.cursor = 0;
};

/** _: the last argument of the line before, after a space, and typing goes on there. */
export const yankArgument: EditorCommand = (state, { count, isExplicit }) => {
  const text = state.walk.textAt(state.walk.position - 1);
  const word = text === undefined ? undefined : argumentOf(text, isExplicit ? count - 1 : undefined);
  if (word === undefined) return state.bell();
  const { buffer } = state;
  buffer.cursor = Math.min(lineEnd(buffer.text, buffer.cursor), nextBoundary(buffer.text, buffer.cursor));
  buffer.insert(` ${word}`);
  beginInsert(state, undefined);
};

/** A motion by itself. */
function motionCommand(motion: Motion): EditorCommand {
  return (state, { count }) => {
    if (motion.wantsCharacter === true) {
      takeNextKey(state, ({ text, name }) => {
        if (name !== 'escape') moveTo(state, motion, count, text);
      });
    } else {
      moveTo(state, motion, count, '');
    }
  };
}

export const moves: readonly (readonly [string, EditorCommand])[] = [...motions].map(([key, motion]) => [
  key,
  motionCommand(motion),
]);

function moveTo(state: EditorState, motion: Motion, count: number, character: string): void {
  const { buffer, vi } = state;
  const to = motion.to({ text: buffer.text, cursor: buffer.cursor, count, vi, character });
  if (to === undefined) state.bell();
  else buffer.cursor = to;
}

function putText(state: EditorState, isAfter: boolean, count: number): void {
  const { buffer, killRing } = state;
  const text = killRing.current;
  if (text === undefined || text === '') return state.bell();
  if (isAfter) buffer.cursor = Math.min(lineEnd(buffer.text, buffer.cursor), nextBoundary(buffer.text, buffer.cursor));
  buffer.insert(text.repeat(Math.max(1, Math.min(count, Math.floor(1_000_000 / text.length)))));
  buffer.cursor = moveByGraphemes(buffer.text, buffer.cursor, -1);
}

function replaceWith(state: EditorState, character: string, count: number): void {
  const { buffer } = state;
  const end = Math.min(lineEnd(buffer.text, buffer.cursor), moveByGraphemes(buffer.text, buffer.cursor, count));
  if (end === buffer.cursor) return state.bell();
  const replaced = [...clusters(buffer.text, buffer.cursor, end)].length;
  buffer.replace(buffer.cursor, end, character.repeat(replaced));
  buffer.cursor = moveByGraphemes(buffer.text, buffer.cursor, -1);
}

function flipCase(state: EditorState, count: number): void {
  const { buffer } = state;
  const end = Math.min(lineEnd(buffer.text, buffer.cursor), moveByGraphemes(buffer.text, buffer.cursor, count));
  const flipped = [...clusters(buffer.text, buffer.cursor, end)].map(flip).join('');
  buffer.replace(buffer.cursor, end, flipped);
}

function flip(character: string): string {
  const upper = character.toUpperCase();
  return upper === character ? character.toLowerCase() : upper;
}

function* clusters(text: string, start: number, end: number): Generator<string> {
  for (let at = start; at < end; at = nextBoundary(text, at)) yield text.slice(at, nextBoundary(text, at));
}
