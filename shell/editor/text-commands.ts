/** Inserting, transposing, changing case, undoing. */
import { type EditorCommand, type EditorState, type Invocation, takeNextKey } from './editor-state.ts';
import { moveByGraphemes, nextBoundary, previousBoundary } from './graphemes.ts';
import { isWordCharacter, moveByWords } from './words.ts';

/** A count typed by mistake must not fill the memory. */
const maxInserted = 100_000;

export const selfInsert: EditorCommand = (state, { key, count }) => insertTyped(state, key.text, count);

function insertTyped(state: EditorState, text: string, count: number): void {
  if (count <= 0 || text === '') return;
  const { buffer } = state;
  const inserted = text.repeat(Math.min(count, Math.max(1, Math.floor(maxInserted / text.length))));
  if (!state.isOverwriting) return buffer.type(inserted);
  buffer.replace(buffer.cursor, moveByGraphemes(buffer.text, buffer.cursor, count), inserted);
}

/** C-v, C-q: the next key as the terminal sent it. */
export const quotedInsert: EditorCommand = (state, { count }) => {
  takeNextKey(state, ({ raw }) => insertTyped(state, raw, Math.abs(count)), '(quoted) ');
};

export const insertNewline: EditorCommand = (state, { count }) => insertTyped(state, '\n', Math.max(1, count));

export const insertTab: EditorCommand = (state, { count }) => insertTyped(state, '\t', count);

export const toggleOverwrite: EditorCommand = (state) => {
  state.isOverwriting = !state.isOverwriting;
};

/** C-t: drags the character before the cursor over the one at it. */
export const transposeChars: EditorCommand = (state, { count }) => {
  const { buffer } = state;
  const { text } = buffer;
  if (buffer.cursor === 0 || nextBoundary(text, 0) === text.length) return state.bell();
  const isAtEnd = buffer.cursor === text.length;
  const middle = isAtEnd ? previousBoundary(text, text.length) : buffer.cursor;
  const start = previousBoundary(text, middle);
  const dragged = text.slice(start, middle);
  const rest = text.slice(0, start) + text.slice(middle);
  const to = moveByGraphemes(rest, start, isAtEnd ? 1 : count);
  buffer.replace(start, middle, '');
  buffer.replace(to, to, dragged);
};

/** M-t: drags the word before the cursor over the one after it. */
export const transposeWords: EditorCommand = (state, { count }) => {
  const { buffer } = state;
  if (count === 0) return;
  const { text } = buffer;
  const secondEnd = moveByWords(text, buffer.cursor, count);
  const secondStart = moveByWords(text, secondEnd, -1);
  const firstStart = moveByWords(text, secondStart, -count);
  const firstEnd = moveByWords(text, firstStart, 1);
  if (firstStart === secondStart || secondStart < firstEnd) return state.bell();
  const between = text.slice(firstEnd, secondStart);
  buffer.replace(
    firstStart,
    secondEnd,
    text.slice(secondStart, secondEnd) + between + text.slice(firstStart, firstEnd),
  );
};

export const upcaseWord: EditorCommand = (state, invocation) =>
  changeWords(state, invocation, (word) => word.toUpperCase());

export const downcaseWord: EditorCommand = (state, invocation) =>
  changeWords(state, invocation, (word) => word.toLowerCase());

export const capitalizeWord: EditorCommand = (state, invocation) => changeWords(state, invocation, capitalize);

export const undo: EditorCommand = (state, { count }) => {
  for (let left = Math.max(1, count); left > 0; left--) {
    if (!state.buffer.undo()) return state.bell();
  }
};

export const redo: EditorCommand = (state, { count }) => {
  for (let left = Math.max(1, count); left > 0; left--) {
    if (!state.buffer.redo()) return state.bell();
  }
};

/** M-r: as it was before it was edited. */
export const revertLine: EditorCommand = (state) => state.buffer.undoAll();

function changeWords(state: EditorState, { count }: Invocation, change: (text: string) => string): void {
  const { buffer } = state;
  const { cursor, text } = buffer;
  const to = moveByWords(text, cursor, count);
  const start = Math.min(cursor, to);
  const end = Math.max(cursor, to);
  const changed = change(text.slice(start, end));
  if (changed === text.slice(start, end)) buffer.cursor = end;
  else buffer.replace(start, end, changed);
}

/** The first letter of each word in it large, the others small; it may begin inside a word, and that is the word's beginning then. */
function capitalize(text: string): string {
  let changed = '';
  let isInside = false;
  for (let at = 0; at < text.length; at = nextBoundary(text, at)) {
    const character = text.slice(at, nextBoundary(text, at));
    const isWord = isWordCharacter(text, at);
    changed += !isWord ? character : isInside ? character.toLowerCase() : character.toUpperCase();
    isInside = isWord;
  }
  return changed;
}
