/**
 * Where one output stream of a process stands: what has come, what the consumer has taken, and what was acknowledged.
 * Decides which bytes are new, and when an ack is due. No I/O here.
 */
import { NshError } from '../../protocol/errors.ts';

export type StartOffset = number | 'oldest' | 'newest';

export class OutputPosition {
  readonly #ackAfterBytes: number;
  readonly #windowBytes: number;
  #start: StartOffset;
  #received: number | undefined;
  #taken = 0;
  #acked = 0;
  #ended = false;

  constructor(start: StartOffset, windowBytes: number) {
    this.#start = start;
    this.#received = typeof start === 'number' ? start : undefined;
    this.#taken = this.#received ?? 0;
    this.#windowBytes = windowBytes;
    this.#ackAfterBytes = Math.floor(windowBytes / 4);
  }

  /** Where a new connection begins: what has come need not come again. */
  get from(): StartOffset {
    return this.#received ?? this.#start;
  }

  /** Offset after the last byte that came; undefined before the first where the start was not a number. */
  get received(): number | undefined {
    return this.#received;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A connection has been opened: its acks count from here. */
  opened(kept: { readonly base: number; readonly end: number }): void {
    if (this.#received === undefined) this.#jump(this.#start === 'oldest' ? kept.base : kept.end);
    this.#acked = this.#received ?? 0;
  }

  /**
   * The bytes among these that are new.
   * @throws NshError `invalidMessage` where bytes before them are missing or more came than there was credit for.
   */
  accept(offset: number, bytes: Buffer): Buffer {
    const received = this.#received ?? offset;
    if (offset > received)
      throw new NshError('invalidMessage', `output from offset ${received} to ${offset} is missing in the stream`);
    const fresh = bytes.subarray(Math.min(bytes.length, received - offset));
    this.#received = received + fresh.length;
    // The peer may count its credit from an ack that is still on its way to us only in one direction: never beyond two windows.
    if (this.#received - this.#acked > 2 * this.#windowBytes)
      throw new NshError('tooLarge', `the stream sent more than the ${this.#windowBytes} bytes it had credit for`);
    return fresh;
  }

  /** The consumer has taken everything below `offset`. Returns the offset to acknowledge now, if one is due. */
  took(offset: number): number | undefined {
    if (offset > this.#taken) this.#taken = offset;
    return this.#taken - this.#acked >= this.#ackAfterBytes ? this.ackNow() : undefined;
  }

  /** What could be acknowledged; undefined where everything taken already is. */
  ackNow(): number | undefined {
    if (this.#taken <= this.#acked) return undefined;
    this.#acked = this.#taken;
    return this.#acked;
  }

  /** Bytes are missing; the next has the offset `to`. */
  skip(to: number): void {
    if (this.#received === undefined || to > this.#received) this.#jump(to);
  }

  /** @throws NshError `invalidMessage` where the stream ends before its last byte has come. */
  end(offset: number): void {
    if (this.#received !== undefined && offset > this.#received)
      throw new NshError(
        'invalidMessage',
        `output ends at ${offset}, but only ${this.#received} bytes of it have come`,
      );
    this.#ended = true;
  }

  #jump(to: number): void {
    this.#received = to;
    if (to > this.#taken) this.#taken = to;
    if (to > this.#acked) this.#acked = to;
  }
}
