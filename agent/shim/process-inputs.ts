/**
 * Where the input of one process comes in. Who types has the terminal, or stdin; who feeds has the pipe that is stdin beside a terminal, or
 * stdin. A process that is fed from afar does not wait for ever: its input ends where nobody feeds it for so long.
 */
import type { OpenFrame } from '../../src/protocol/frames.ts';
import { Deadlines } from './deadlines.ts';
import { InputQueue } from './input-queue.ts';
import type { InputSink } from './input-sink.ts';

export interface ProcessInputsOptions {
  /** Undefined: /dev/null. */
  readonly typed: InputSink | undefined;
  /** Stdin of a process whose terminal is not its stdin. */
  readonly fed: InputSink | undefined;
  /** ms without a feeder after which the input ends. Undefined: it does not. */
  readonly feedTimeoutMs: number | undefined;
}

export class ProcessInputs {
  readonly #typed: InputQueue;
  readonly #fed: InputQueue;
  readonly #timeoutMs: number | undefined;
  readonly #deadlines = new Deadlines<'feed'>();
  #feeders = 0;

  constructor({ typed, fed, feedTimeoutMs }: ProcessInputsOptions) {
    this.#typed = new InputQueue(typed);
    this.#fed = fed === undefined ? this.#typed : new InputQueue(fed);
    this.#timeoutMs = feedTimeoutMs;
    this.#awaitFeeder();
  }

  queueFor(role: OpenFrame['role']): InputQueue {
    return role === 'feed' ? this.#fed : this.#typed;
  }

  feederCame(): void {
    this.#feeders++;
    this.#deadlines.clear('feed');
  }

  feederLeft(): void {
    this.#feeders--;
    this.#awaitFeeder();
  }

  /** Whoever holds the terminal may be gone while the process still reads its pipe. */
  closeTyped(): void {
    this.#typed.destroy();
  }

  /** Its terminal is nobody's any more. */
  terminalLeft(): void {
    this.#typed.processEnded();
  }

  destroy(): void {
    this.#deadlines.clear('feed');
    this.#typed.destroy();
    this.#fed.destroy();
  }

  #awaitFeeder(): void {
    if (this.#timeoutMs === undefined || this.#feeders > 0) return;
    this.#deadlines.set('feed', this.#timeoutMs, () => this.#fed.finish());
  }
}
