/**
 * Runs steps in order. While a step waits for something (a screen that is being redrawn), later ones are held back; otherwise each
 * runs at once, in the caller's own turn, so that the usual path costs nothing.
 */
export class SerialGate {
  #held: (() => void | Promise<void>)[] = [];
  #busy = false;
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  run(step: () => void | Promise<void>): void {
    if (this.#busy) {
      this.#held.push(step);
      return;
    }
    const waiting = step();
    if (waiting === undefined) return;
    this.#busy = true;
    waiting.catch(this.#onError).then(() => this.#release(), this.#onError);
  }

  #release(): void {
    this.#busy = false;
    try {
      while (!this.#busy) {
        const step = this.#held.shift();
        if (step === undefined) return;
        this.run(step);
      }
    } catch (error) {
      this.#onError(error);
    }
  }
}
