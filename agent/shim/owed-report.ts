/**
 * What a process left for its foreground client, until that has it: its report, where it has a channel, and what was typed on its terminal and
 * read by nobody. In memory alone: it may hold what must not be on a disk.
 */
export class OwedReport {
  #bytes: Buffer | undefined;
  #unread: Buffer | undefined;
  #isOwed = false;

  /** Undefined: it left nothing. */
  get bytes(): Buffer | undefined {
    return this.#bytes;
  }

  get unread(): Buffer | undefined {
    return this.#unread;
  }

  /** A report is owed; what is unread comes with the exit status. */
  get isOwed(): boolean {
    return this.#isOwed;
  }

  keep(bytes: Buffer | undefined, unread: Buffer | undefined): void {
    this.#unread = unread;
    if (bytes === undefined || bytes.length === 0) return;
    this.#bytes = bytes;
    this.#isOwed = true;
  }

  taken(): void {
    this.#isOwed = false;
  }
}
