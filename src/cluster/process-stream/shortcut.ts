/**
 * When a stream moves from the way through this machine's agent to a connection of its own. The agent's warm link opens at once, but
 * each byte passes through one process more; who stays, or has much to carry, is served better without it. Failing is no fault: the
 * stream goes on as it is.
 *
 *   idle ──opened──▶ armed ──long enough, or enough bytes──▶ connecting ──▶ ready: the owner moves, and it is idle again
 *                      ▲                                        │  └───────▶ given up, for the rest of the stream
 *                      └──── broken on the way: a while later ───┘
 */
import type { Duplex } from 'node:stream';
import { toNshError } from '../../protocol/errors.ts';
import { mayPass } from './retry.ts';

/** Long enough that somebody works there, rather than a command that prints and ends. */
const terminalAfterMs = 500;
/** More than most commands print; the login costs about as much as carrying 20 MiB does. */
const afterBytes = 2 * 1024 * 1024;
const connectDeadlineMs = 30_000;
/** After an attempt that broke; twice as long after each further one. */
const againAfterMs = 10_000;

export class Shortcut {
  readonly #connect: ((signal: AbortSignal) => Promise<Duplex>) | undefined;
  readonly #onReady: (socket: Duplex) => void;
  #givenUp = false;
  #waitMs = againAfterMs;
  #timer: NodeJS.Timeout | undefined;
  /** Bytes carried at which to begin; Infinity unless armed. */
  #beginAt = Infinity;
  #attempt: AbortController | undefined;

  /** @param connect absent: there is no other way. */
  constructor(connect: ((signal: AbortSignal) => Promise<Duplex>) | undefined, onReady: (socket: Duplex) => void) {
    this.#connect = connect;
    this.#onReady = onReady;
  }

  /** The stream is open on the ordinary way. */
  arm(isTerminal: boolean, carriedBytes: number): void {
    if (this.#connect === undefined || this.#givenUp) return;
    this.#beginAt = carriedBytes + afterBytes;
    if (isTerminal) this.#timer = setTimeout(() => this.#begin(), terminalAfterMs);
  }

  /** @param bytes so many have been carried in all. */
  carried(bytes: number): void {
    if (bytes >= this.#beginAt) this.#begin();
  }

  /** The connection that it was armed for is of no use any more. */
  disarm(): void {
    clearTimeout(this.#timer);
    this.#beginAt = Infinity;
    this.#attempt?.abort();
    this.#attempt = undefined;
  }

  #begin(): void {
    const connect = this.#connect;
    this.disarm();
    if (connect === undefined) return;
    const attempt = new AbortController();
    this.#attempt = attempt;
    connect(AbortSignal.any([attempt.signal, AbortSignal.timeout(connectDeadlineMs)])).then(
      (socket) => {
        if (this.#attempt === attempt) this.#onReady(socket);
        else socket.destroy();
      },
      (error: unknown) => {
        if (this.#attempt === attempt) this.#failed(error);
      },
    );
  }

  #failed(error: unknown): void {
    if (!mayPass(toNshError(error))) {
      this.#givenUp = true;
      return;
    }
    this.#timer = setTimeout(() => this.#begin(), this.#waitMs);
    this.#waitMs *= 2;
  }
}
