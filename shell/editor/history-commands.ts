/** Walking the history, entries with the same beginning, and arguments of earlier lines. */
import type { EditorCommand, EditorState } from './editor-state.ts';
import { wordsOf } from './history-words.ts';
import { moveByLines } from './move-commands.ts';

export const previousLineOrHistory: EditorCommand = (state, { count }) => goVertically(state, -count);

export const nextLineOrHistory: EditorCommand = (state, { count }) => goVertically(state, count);

/** M-< */
export const beginningOfHistory: EditorCommand = (state) => {
  if (!state.walk.go(0)) state.bell();
};

/** M-> */
export const endOfHistory: EditorCommand = (state) => {
  state.walk.go(state.walk.bottom);
};

/** C-o: runs the line and has the entry that follows it in the history ready. */
export const operateAndGetNext: EditorCommand = (state) => {
  const { position, isAtBottom } = state.walk;
  const { text } = state.buffer;
  state.request(isAtBottom ? { type: 'accept', text } : { type: 'accept', text, nextHistory: position + 1 });
};

/** Entries that begin as the text before the cursor does. */
export const searchPrefixBackward: EditorCommand = (state) => searchPrefix(state, -1);

export const searchPrefixForward: EditorCommand = (state) => searchPrefix(state, 1);

/** M-. and M-_: the last argument of the line before; again, of the one before that. A count takes that argument. */
export const yankLastArgument: EditorCommand = (state, { count, isExplicit }) => {
  const before = state.lastKind === 'last-argument' ? state.lastArgument : undefined;
  const nth = before?.nth ?? (isExplicit ? count : undefined);
  const step = before === undefined ? -1 : isExplicit && count < 0 ? -before.step : before.step;
  const from = before?.entry ?? state.walk.position;
  state.kind = 'last-argument';
  for (let entry = from + step; entry >= 0 && entry < state.walk.bottom; entry += step) {
    const text = state.walk.textAt(entry);
    const word = text === undefined ? undefined : argumentOf(text, nth);
    if (word === undefined) continue;
    const end = state.buffer.cursor;
    state.buffer.replace(end - (before?.length ?? 0), end, word);
    state.lastArgument = { entry, nth, step, length: word.length };
    return;
  }
  state.lastArgument = before ?? { entry: from, nth, step, length: 0 };
  state.bell();
};

/** M-C-y: the first argument of the line before, or the one that the count says. */
export const yankNthArgument: EditorCommand = (state, { count, isExplicit }) => {
  const text = state.walk.textAt(state.walk.position - 1);
  const word = text === undefined ? undefined : argumentOf(text, isExplicit ? count : 1);
  if (word === undefined) return state.bell();
  state.buffer.insert(word);
};

/** Argument number `nth`, from the end where it is negative, the last where there is none. */
export function argumentOf(text: string, nth: number | undefined): string | undefined {
  const words = wordsOf(text);
  return words.at(nth ?? -1);
}

function goVertically(state: EditorState, lines: number): void {
  const left = moveByLines(state, lines);
  // It moved, if not as far: the history is for a key of its own.
  if (left === 0 || left !== lines) return;
  goInHistory(state, left);
}

function goInHistory(state: EditorState, entries: number): void {
  const { walk } = state;
  const step = entries < 0 ? -1 : 1;
  let to = Math.max(0, Math.min(walk.bottom, walk.position + entries));
  // An entry may have gone from the history.
  while (to > 0 && to < walk.bottom && walk.textAt(to) === undefined) to += step;
  if (to === walk.position || !walk.go(to)) state.bell();
  else if (state.mode === 'vi' && state.vi.isCommand && !walk.isAtBottom) state.buffer.cursor = 0;
}

function searchPrefix(state: EditorState, step: number): void {
  const { walk, buffer } = state;
  const isGoingOn = state.lastKind === 'prefix-search';
  const prefix = isGoingOn ? state.searchedPrefix : buffer.text.slice(0, buffer.cursor);
  state.kind = 'prefix-search';
  state.searchedPrefix = prefix;
  const shown = buffer.text;
  for (let entry = walk.position + step; entry >= 0 && entry <= walk.bottom; entry += step) {
    const text = walk.textAt(entry);
    if (text === undefined || text === shown || !text.startsWith(prefix)) continue;
    walk.go(entry);
    if (prefix !== '') buffer.cursor = prefix.length;
    return;
  }
  state.bell();
}
