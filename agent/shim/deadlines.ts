/** The timers of one process. All are cleared with `clear`; none outlives what it is for. */

/** setTimeout counts milliseconds in 31 bits: a longer time is waited for in pieces. */
const longestMs = 2 ** 31 - 1;

export class Deadlines<Name extends string> {
  readonly #timers = new Map<Name, NodeJS.Timeout>();

  /** Runs `action` after `ms`; a deadline of the same name is replaced. */
  set(name: Name, ms: number, action: () => void): void {
    this.clear(name);
    const run = (): void => {
      if (ms > longestMs) {
        this.set(name, ms - longestMs, action);
        return;
      }
      this.#timers.delete(name);
      action();
    };
    this.#timers.set(name, setTimeout(run, Math.min(ms, longestMs)));
  }

  clear(...names: Name[]): void {
    for (const name of names) {
      clearTimeout(this.#timers.get(name));
      this.#timers.delete(name);
    }
  }

  has(name: Name): boolean {
    return this.#timers.has(name);
  }
}
