/** Moving the cursor. In a text of several lines, beginning and end are the line's; up and down go by lines, then through the history. */
import { displayWidth, offsetAtColumn } from './display-width.ts';
import { type EditorCommand, type EditorState, takeNextKey } from './editor-state.ts';
import { moveByGraphemes } from './graphemes.ts';
import { lineEnd, lineStart, moveByWords } from './words.ts';

export const forwardChar: EditorCommand = (state, { count }) => {
  const { buffer } = state;
  if (count > 0 && buffer.cursor === buffer.text.length) return takeSuggestion(state, (rest) => rest);
  moveBy(state, count);
};

export const backwardChar: EditorCommand = (state, { count }) => moveBy(state, -count);

export const forwardWord: EditorCommand = (state, { count }) => {
  const { buffer } = state;
  if (count > 0 && buffer.cursor === buffer.text.length) {
    return takeSuggestion(state, (rest) => rest.slice(0, moveByWords(rest, 0, count)));
  }
  buffer.cursor = moveByWords(buffer.text, buffer.cursor, count);
};

export const backwardWord: EditorCommand = ({ buffer }, { count }) => {
  buffer.cursor = moveByWords(buffer.text, buffer.cursor, -count);
};

export const beginningOfLine: EditorCommand = ({ buffer }) => {
  buffer.cursor = lineStart(buffer.text, buffer.cursor);
};

export const endOfLine: EditorCommand = (state) => {
  const { buffer } = state;
  if (buffer.cursor === buffer.text.length && state.suggestion() !== '') return takeSuggestion(state, (rest) => rest);
  buffer.cursor = lineEnd(buffer.text, buffer.cursor);
};

export const setMark: EditorCommand = ({ buffer }, { count, isExplicit }) => {
  buffer.mark = isExplicit ? Math.min(count, buffer.text.length) : buffer.cursor;
};

export const exchangePointAndMark: EditorCommand = ({ buffer }) => {
  const { cursor, mark } = buffer;
  buffer.cursor = mark;
  buffer.mark = cursor;
};

/** C-]: to the `count`th place of the next key's character; M-C-] back. */
export const characterSearch: EditorCommand = (state, { count }) => searchCharacter(state, count);

export const characterSearchBackward: EditorCommand = (state, { count }) => searchCharacter(state, -count);

/**
 * Goes so many lines down, keeping to the column.
 * @returns how many lines it could not go, with the same sign: those are the history's.
 */
export function moveByLines(state: EditorState, lines: number): number {
  const { buffer } = state;
  const start = lineStart(buffer.text, buffer.cursor);
  let line = start;
  let left = lines;
  for (; left > 0; left--) {
    const end = lineEnd(buffer.text, line);
    if (end === buffer.text.length) break;
    line = end + 1;
  }
  for (; left < 0 && line > 0; left++) line = lineStart(buffer.text, line - 1);
  if (left === lines) return left;
  if (state.lastKind !== 'vertical') state.goalColumn = displayWidth(buffer.text.slice(start, buffer.cursor));
  state.kind = 'vertical';
  const text = buffer.text.slice(line, lineEnd(buffer.text, line));
  buffer.cursor = line + offsetAtColumn(text, state.goalColumn);
  return left;
}

function moveBy(state: EditorState, count: number): void {
  const { buffer } = state;
  const to = moveByGraphemes(buffer.text, buffer.cursor, count);
  if (to === buffer.cursor && count !== 0) state.bell();
  buffer.cursor = to;
}

/** At the text's end, what is suggested is what lies ahead. */
function takeSuggestion(state: EditorState, part: (rest: string) => string): void {
  const rest = state.suggestion();
  if (rest === '') return state.bell();
  state.buffer.insert(part(rest));
}

function searchCharacter(state: EditorState, count: number): void {
  takeNextKey(state, ({ text }) => {
    const found = text === '' ? -1 : nthPlace(state.buffer.text, text, state.buffer.cursor, count);
    if (found < 0) state.bell();
    else state.buffer.cursor = found;
  });
}

/** Offset of the `count`th occurrence after `from`, before it where negative; -1 where there are fewer. */
function nthPlace(text: string, wanted: string, from: number, count: number): number {
  let at = from;
  for (let left = Math.abs(count); left > 0; left--) {
    at = count > 0 ? text.indexOf(wanted, at + 1) : at === 0 ? -1 : text.lastIndexOf(wanted, at - 1);
    if (at < 0) return -1;
  }
  return at;
}
