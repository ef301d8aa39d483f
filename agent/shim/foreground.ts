/**
 * The client that started a process in the foreground: it gets every byte, and the process waits for it. One table of states:
 *
 *   none       nobody holds the process up
 *   awaited    named when the process was started, has not come yet (until the deadline)
 *   connected  its stream is open
 *   lost       its connection broke; it may come back (until the deadline)
 *
 * No clock and no I/O: the owner runs the timer and does what is returned.
 */
import { pipeWindowBytes, ptyWindowBytes } from '../../src/protocol/limits.ts';
import type { StreamNumber } from '../../src/protocol/frames.ts';

export type ForegroundState = 'none' | 'awaited' | 'connected' | 'lost';

/** `wait`: start the grace timer. `apply`: the client is gone for good, apply on-disconnect. `keep`: it left, the process stays. */
export type ForegroundOutcome = 'wait' | 'apply' | 'keep' | 'nothing';

export class Foreground {
  readonly client: string | undefined;
  #state: ForegroundState;
  readonly #acked = new Map<StreamNumber, number>();
  /** Until it has said its own. */
  #window = ptyWindowBytes;

  constructor(client: string | undefined) {
    this.client = client;
    this.#state = client === undefined ? 'none' : 'awaited';
  }

  get state(): ForegroundState {
    return this.#state;
  }

  /** How far the process may run ahead; undefined: as far as it likes. */
  hold(stream: StreamNumber): { acked: number; window: number } | undefined {
    if (this.#state === 'none') return undefined;
    return { acked: this.#acked.get(stream) ?? 0, window: this.#window };
  }

  connected(window: number): void {
    this.#state = 'connected';
    // The client's wish bounds what the shim must remember for it, and the shim has a bound of its own.
    this.#window = Math.min(window, pipeWindowBytes);
  }

  acked(stream: StreamNumber, offset: number): void {
    this.#acked.set(stream, Math.max(offset, this.#acked.get(stream) ?? 0));
  }

  /** The connection broke without a word. */
  lost(): ForegroundOutcome {
    if (this.#state !== 'connected') return 'nothing';
    this.#state = 'lost';
    return 'wait';
  }

  detached(isFinal: boolean): ForegroundOutcome {
    if (this.#state !== 'connected') return 'nothing';
    this.#state = 'none';
    return isFinal ? 'apply' : 'keep';
  }

  deadline(): ForegroundOutcome {
    if (this.#state !== 'awaited' && this.#state !== 'lost') return 'nothing';
    this.#state = 'none';
    return 'apply';
  }

  /** Whether it has every byte, or is not to come back for them. */
  isSettled(ends: ReadonlyMap<StreamNumber, number>): boolean {
    if (this.#state === 'none') return true;
    for (const [stream, end] of ends) if ((this.#acked.get(stream) ?? 0) < end) return false;
    return true;
  }
}
