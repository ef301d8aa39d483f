/** What a process left on its channel, until its foreground client has it. In memory alone: it may hold what must not be on a disk. */
export class OwedReport {
  #bytes: Buffer | undefined;
  #isOwed = false;

  /** Undefined: it left nothing. */
  get bytes(): Buffer | undefined {
    return this.#bytes;
  }

  get isOwed(): boolean {
    return this.#isOwed;
  }

  keep(bytes: Buffer | undefined): void {
    if (bytes === undefined || bytes.length === 0) return;
    this.#bytes = bytes;
    this.#isOwed = true;
  }

  taken(): void {
    this.#isOwed = false;
  }
}
