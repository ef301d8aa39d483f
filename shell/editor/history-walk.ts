/**
 * Walking through the history while a line is edited: the line itself stands below the newest entry. Entries that were changed on the
 * way keep their changes, and their undo, until the line is accepted; the history itself is never changed.
 */
import type { HistoryView } from './history-view.ts';
import { freshText, type LineBuffer, type SavedText } from './line-buffer.ts';

export class HistoryWalk {
  readonly #buffer: LineBuffer;
  #view: HistoryView;
  /** Number of the line being edited: what was added to the history since is beyond. */
  #bottom: number;
  #position: number;
  /** Texts left behind, by their number. */
  readonly #left = new Map<number, SavedText>();

  constructor(buffer: LineBuffer, view: HistoryView) {
    this.#buffer = buffer;
    this.#view = view;
    this.#bottom = view.length;
    this.#position = view.length;
  }

  /** A new line begins, with the history as it is now. */
  restart(view: HistoryView = this.#view): void {
    this.#view = view;
    this.#bottom = view.length;
    this.#position = view.length;
    this.#left.clear();
  }

  get position(): number {
    return this.#position;
  }

  /** The number of the line being edited: one more than the newest entry's. */
  get bottom(): number {
    return this.#bottom;
  }

  get isAtBottom(): boolean {
    return this.#position === this.#bottom;
  }

  get view(): HistoryView {
    return this.#view;
  }

  /** The text with this number as the person would see it: with the changes made to it. */
  textAt(index: number): string | undefined {
    if (index === this.#position) return this.#buffer.text;
    return this.#left.get(index)?.text ?? (index < this.#bottom ? this.#view.at(index) : undefined);
  }

  /** @returns false where there is no such entry; the cursor is then where it was, else at the end. */
  go(index: number): boolean {
    if (index === this.#position) return true;
    if (index < 0 || index > this.#bottom) return false;
    const entry = this.#left.get(index) ?? this.#fresh(index);
    if (entry === undefined) return false;
    this.#left.set(this.#position, this.#buffer.exchange(entry));
    this.#left.delete(index);
    this.#position = index;
    this.#buffer.cursor = this.#buffer.text.length;
    return true;
  }

  #fresh(index: number): SavedText | undefined {
    const text = index === this.#bottom ? '' : this.#view.at(index);
    return text === undefined ? undefined : freshText(text);
  }
}
