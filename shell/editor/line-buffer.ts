/** The text being edited, cursor and mark, with undo. Every change goes through `replace`. Offsets are UTF-16, on cluster boundaries. */
import { floorBoundary } from './graphemes.ts';
import { type ChangeGroup, UndoLog } from './undo-log.ts';

/** Typed characters are undone together up to so many, as readline does. */
const maxTypedTogether = 20;

export class LineBuffer {
  #text = '';
  #cursor = 0;
  /** All that is typed belongs together until this ends: vi's insert mode. */
  isGrouping = false;
  /** Set by the person (C-@) and by yanking. */
  mark = 0;
  #undo = new UndoLog();

  get text(): string {
    return this.#text;
  }

  get cursor(): number {
    return this.#cursor;
  }

  set cursor(position: number) {
    this.#cursor = Math.max(0, Math.min(position, this.#text.length));
  }

  /** Replaces [start, end) and leaves the cursor behind what was inserted. */
  replace(start: number, end: number, inserted: string): void {
    const removed = this.#text.slice(start, end);
    if (removed === '' && inserted === '') {
      this.cursor = start;
      return;
    }
    this.#undo.record({ start, removed, inserted }, this.#cursor);
    this.#splice(start, end, inserted);
  }

  insert(text: string): void {
    this.replace(this.#cursor, this.#cursor, text);
  }

  /** One more typed character: undone together with those typed just before it. */
  type(text: string): void {
    const typed = this.#undo.openInsertion;
    if (typed === 0 || typed >= maxTypedTogether) this.closeUndoGroup();
    this.insert(text);
  }

  /** What follows is undone apart from what was. */
  closeUndoGroup(): void {
    if (!this.isGrouping) this.#undo.closeGroup();
  }

  /** @returns false where there is nothing to undo. */
  undo(): boolean {
    const group = this.#undo.takeUndo();
    if (group === undefined) return false;
    this.#reverse(group);
    return true;
  }

  redo(): boolean {
    const group = this.#undo.takeRedo();
    if (group === undefined) return false;
    for (const { start, removed, inserted } of group.changes) this.#splice(start, start + removed.length, inserted);
    return true;
  }

  undoAll(): void {
    while (this.undo()) continue;
  }

  /** A new text, whose past is forgotten. */
  reset(text: string, cursor: number = text.length): void {
    this.#text = text;
    this.#cursor = floorBoundary(text, cursor);
    this.mark = 0;
    this.#undo.clear();
  }

  /** The other text's undo comes with it: for walking between history entries that were edited. */
  exchange(saved: SavedText): SavedText {
    const mine = { text: this.#text, cursor: this.#cursor, undo: this.#undo };
    this.#text = saved.text;
    this.#cursor = saved.cursor;
    this.#undo = saved.undo;
    this.mark = 0;
    return mine;
  }

  #reverse(group: ChangeGroup): void {
    for (let index = group.changes.length - 1; index >= 0; index--) {
      const change = group.changes[index];
      if (change !== undefined) this.#splice(change.start, change.start + change.inserted.length, change.removed);
    }
    this.#cursor = group.cursor;
  }

  #splice(start: number, end: number, inserted: string): void {
    this.#text = this.#text.slice(0, start) + inserted + this.#text.slice(end);
    this.#cursor = start + inserted.length;
    this.mark = Math.min(this.mark, this.#text.length);
  }
}

export interface SavedText {
  readonly text: string;
  readonly cursor: number;
  readonly undo: UndoLog;
}

export function freshText(text: string): SavedText {
  return { text, cursor: text.length, undo: new UndoLog() };
}
