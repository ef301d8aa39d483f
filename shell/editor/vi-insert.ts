/** vi: going from command to insert mode and back, what was typed meanwhile, and `.` */
import type { EditorCommand, EditorState } from './editor-state.ts';
import { moveByGraphemes, previousBoundary } from './graphemes.ts';
import type { ViChange } from './vi-state.ts';
import { lineStart } from './words.ts';

/** @param change the command that begins it, for `.` */
export function beginInsert(state: EditorState, change: ViChange | undefined): void {
  if (state.vi.isRepeating) return;
  const { buffer, vi } = state;
  vi.isCommand = false;
  vi.insertion = { change, textBefore: buffer.text, cursorBefore: buffer.cursor };
}

/** Escape. */
export const endInsert: EditorCommand = (state) => {
  const { buffer, vi } = state;
  if (vi.isCommand) return;
  const { insertion } = vi;
  if (insertion?.change !== undefined) {
    insertion.change.typed = typedSince(buffer.text, insertion.textBefore, insertion.cursorBefore);
  }
  vi.insertion = undefined;
  vi.isCommand = true;
  state.isOverwriting = false;
  buffer.isGrouping = false;
  buffer.closeUndoGroup();
  if (buffer.cursor > lineStart(buffer.text, buffer.cursor)) {
    buffer.cursor = previousBoundary(buffer.text, buffer.cursor);
  }
};

/** Runs a change, now and for `.` later. */
export function makeChange(state: EditorState, apply: ViChange['apply'], typesText: boolean): void {
  const change: ViChange = { apply, typed: typesText ? '' : undefined };
  const before = state.buffer.text;
  apply(undefined);
  // What failed is not what is done again.
  const isMade = typesText || state.buffer.text !== before;
  if (isMade && !state.vi.isRepeating) state.vi.change = change;
  if (typesText) beginInsert(state, change);
}

/** `.` */
export const repeatChange: EditorCommand = (state, { count, isExplicit }) => {
  const { vi, buffer } = state;
  const { change } = vi;
  if (change === undefined) return state.bell();
  vi.isRepeating = true;
  try {
    change.apply(isExplicit ? count : undefined);
    if (change.typed === undefined) return;
    const end = buffer.cursor + (state.isOverwriting ? change.typed.length : 0);
    buffer.replace(buffer.cursor, Math.min(end, buffer.text.length), change.typed);
    buffer.cursor = moveByGraphemes(buffer.text, buffer.cursor, -1);
  } finally {
    vi.isRepeating = false;
    state.isOverwriting = false;
  }
};

/** What stands at the cursor's old place now and did not then. */
function typedSince(text: string, before: string, cursor: number): string {
  const tail = before.length - cursor;
  const kept = commonTail(text, before, Math.min(tail, Math.max(0, text.length - cursor)));
  return text.slice(cursor, text.length - kept);
}

function commonTail(a: string, b: string, most: number): number {
  let length = 0;
  while (length < most && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length)) length++;
  return length;
}
