/** Killing and yanking. Kills one after another join; C-y brings back, M-y after it goes to older ones. */
import type { EditorCommand, EditorState } from './editor-state.ts';
import { moveByGraphemes } from './graphemes.ts';
import { blankWordStart, lineEnd, lineStart, moveByWords } from './words.ts';

/** Kills what lies between, whichever way around; going back, it is put before what was killed just now. */
function killBetween(state: EditorState, from: number, to: number): void {
  const { buffer } = state;
  const start = Math.min(from, to);
  const end = Math.max(from, to);
  state.kind = 'kill';
  if (start === end) return;
  const join = state.lastKind !== 'kill' || state.mode === 'vi' ? undefined : from < to ? 'after' : 'before';
  state.killRing.add(buffer.text.slice(start, end), join);
  buffer.replace(start, end, '');
}

/** C-k: to the end of the line, and at its end the newline itself. */
export const killLine: EditorCommand = (state, { count }) => {
  if (count < 0) return killToLineStart(state, 1);
  const { buffer } = state;
  let end = buffer.cursor;
  for (let left = Math.max(1, count); left > 0 && end < buffer.text.length; left--) {
    const next = lineEnd(buffer.text, end);
    end = next === end || left > 1 ? Math.min(buffer.text.length, next + 1) : next;
  }
  killBetween(state, buffer.cursor, end);
};

/** C-u: to the beginning of the line, and at its beginning the newline before it. */
export const unixLineDiscard: EditorCommand = (state) => {
  if (state.buffer.cursor === 0) return state.bell();
  killToLineStart(state, 1);
};

export const backwardKillLine: EditorCommand = (state, { count, ...rest }) => {
  if (count < 0) return killLine(state, { ...rest, count: 1 });
  killToLineStart(state, count);
};

export const killWord: EditorCommand = (state, { count }) => {
  const { text, cursor } = state.buffer;
  killBetween(state, cursor, moveByWords(text, cursor, count));
};

export const backwardKillWord: EditorCommand = (state, { count }) => {
  const { text, cursor } = state.buffer;
  killBetween(state, cursor, moveByWords(text, cursor, -count));
};

/** C-w */
export const unixWordRubout: EditorCommand = (state, { count }) => {
  const { text, cursor } = state.buffer;
  if (cursor === 0) return state.bell();
  let start = cursor;
  for (let left = Math.max(1, count); left > 0; left--) start = blankWordStart(text, start);
  killBetween(state, cursor, start);
};

/** C-d. With a count it kills. */
export const deleteChar: EditorCommand = (state, { count, isExplicit }) => {
  const { buffer } = state;
  if (buffer.text === '' && !isExplicit && state.lastKind !== 'delete') return state.request({ type: 'end' });
  const to = moveByGraphemes(buffer.text, buffer.cursor, count);
  state.kind = 'delete';
  if (to === buffer.cursor) return state.bell();
  if (isExplicit) killBetween(state, buffer.cursor, to);
  else buffer.replace(buffer.cursor, to, '');
};

export const backwardDeleteChar: EditorCommand = (state, { count, isExplicit }) => {
  const { buffer } = state;
  const to = moveByGraphemes(buffer.text, buffer.cursor, -count);
  if (to === buffer.cursor) return state.bell();
  if (isExplicit) killBetween(state, buffer.cursor, to);
  else buffer.replace(Math.min(to, buffer.cursor), Math.max(to, buffer.cursor), '');
};

/** M-\ */
export const deleteHorizontalSpace: EditorCommand = (state) => {
  const { text, cursor } = state.buffer;
  let start = cursor;
  let end = cursor;
  while (start > 0 && isSpace(text[start - 1])) start--;
  while (isSpace(text[end])) end++;
  state.buffer.replace(start, end, '');
};

export const yank: EditorCommand = (state) => {
  const text = state.killRing.current;
  if (text === undefined) return state.bell();
  state.buffer.mark = state.buffer.cursor;
  state.buffer.insert(text);
  state.kind = 'yank';
};

/** M-y: only right after a yank. */
export const yankPop: EditorCommand = (state) => {
  const previous = state.killRing.current;
  if (state.lastKind !== 'yank' || previous === undefined) return state.bell();
  state.killRing.rotate();
  const end = state.buffer.cursor;
  state.buffer.replace(end - previous.length, end, state.killRing.current ?? '');
  state.kind = 'yank';
};

function killToLineStart(state: EditorState, count: number): void {
  const { buffer } = state;
  let start = buffer.cursor;
  for (let left = Math.max(1, count); left > 0 && start > 0; left--) {
    const next = lineStart(buffer.text, start);
    start = next === start || left > 1 ? Math.max(0, next - 1) : next;
  }
  killBetween(state, buffer.cursor, start);
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
