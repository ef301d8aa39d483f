/** The grey tail: how the newest history entry goes on that begins with the whole text. Typing on along it costs no new search. */
import type { HistoryView } from './history-view.ts';

export class Suggester {
  #view: HistoryView;
  #text = '';
  /** Entry found for `#text`; undefined where none has it as its beginning. */
  #found: { readonly index: number; readonly entry: string } | undefined;
  #isKnown = false;

  constructor(view: HistoryView) {
    this.#view = view;
  }

  restart(view: HistoryView = this.#view): void {
    this.#view = view;
    this.#isKnown = false;
    this.#found = undefined;
  }

  /** @returns what would follow; empty where there is nothing to suggest. */
  tailOf(text: string): string {
    if (text === '' || text.trim() === '') return '';
    if (!this.#isKnown || text !== this.#text) this.#search(text);
    return this.#found === undefined ? '' : this.#found.entry.slice(text.length);
  }

  /** Entries newer than the one found for a beginning of this text have another beginning: they need not be looked at. */
  #search(text: string): void {
    const goesOn = this.#isKnown && text.startsWith(this.#text);
    const from = goesOn ? (this.#found?.index ?? -1) : this.#view.length - 1;
    this.#text = text;
    this.#isKnown = true;
    this.#found = undefined;
    for (let index = from; index >= 0; index--) {
      const entry = this.#view.at(index);
      if (entry === undefined || entry.length <= text.length || !entry.startsWith(text)) continue;
      this.#found = { index, entry };
      return;
    }
  }
}
