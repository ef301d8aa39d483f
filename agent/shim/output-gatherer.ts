/**
 * When the clients of a terminal are told of new output. A terminal gives 4 KiB at each read, and each frame costs every process on its
 * way to the client a wake-up: under a flood what comes within a millisecond goes together. The first bytes after a pause, the echo of
 * a key among them, go at once.
 */

const gatherMs = 1;
/** So much is worth a frame of its own. */
const gatherBytes = 16 * 1024;

export class OutputGatherer {
  readonly #tell: () => void;
  #toldAtMs = -Infinity;
  #toldEnd = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: () => void) {
    this.#tell = tell;
  }

  /** @param end offset behind the newest byte. */
  came(end: number): void {
    if (end - this.#toldEnd >= gatherBytes || performance.now() - this.#toldAtMs >= gatherMs) this.#tellNow(end);
    else this.#timer ??= setTimeout(() => this.#tellNow(end), gatherMs);
  }

  /** Nothing is to be told later: the owner has told it all. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tellNow(end: number): void {
    this.stop();
    this.#toldEnd = end;
    this.#toldAtMs = performance.now();
    this.#tell();
  }
}
