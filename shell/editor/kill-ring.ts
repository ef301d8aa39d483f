/** Killed texts, newest last, at most sixty as in emacs. Kills one after another become one entry. */
const maxEntries = 60;

export class KillRing {
  readonly #entries: string[] = [];
  /** Steps back from the newest that yank-pop has gone. */
  #back = 0;

  /** @param join where the kill is added to the newest entry: before or after its text; undefined makes a new entry. */
  add(text: string, join: 'before' | 'after' | undefined): void {
    this.#back = 0;
    const newest = this.#entries.at(-1);
    if (join !== undefined && newest !== undefined) {
      this.#entries[this.#entries.length - 1] = join === 'after' ? newest + text : text + newest;
      return;
    }
    this.#entries.push(text);
    if (this.#entries.length > maxEntries) this.#entries.shift();
  }

  /** What yank inserts. */
  get current(): string | undefined {
    const { length } = this.#entries;
    return length === 0 ? undefined : this.#entries[length - 1 - (this.#back % length)];
  }

  /** Goes one back, around at the oldest. */
  rotate(): void {
    if (this.#entries.length > 0) this.#back = (this.#back + 1) % this.#entries.length;
  }
}
