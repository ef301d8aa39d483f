/**
 * Input of one client that the shim has not yet taken: kept by offset, so that after a lost connection it can be sent again from
 * wherever the shim stands, and nothing is lost or doubled. No I/O here.
 */
import { NshError } from '../../protocol/errors.ts';
import { maxFrameBytes } from '../../protocol/limits.ts';

export interface InputPiece {
  readonly offset: number;
  readonly bytes: Buffer;
}

export class InputQueue {
  /** Chunks in order; the first begins at `#start`. */
  #chunks: Buffer[] = [];
  #start = 0;
  #end = 0;
  /** The shim has taken everything below. */
  #acked = 0;
  /** Next offset to send on the present connection. */
  #sent = 0;
  /** Index of the chunk that holds `#sent`, and where that chunk begins. */
  #sendIndex = 0;
  #sendChunkStart = 0;
  #closed = false;

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#end += bytes.length;
  }

  /** No more input follows. */
  close(): void {
    this.#closed = true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Offset after the last byte pushed. */
  get endOffset(): number {
    return this.#end;
  }

  get unackedBytes(): number {
    return this.#end - this.#start;
  }

  /** All has gone out on the present connection. */
  get allSent(): boolean {
    return this.#sent === this.#end;
  }

  /**
   * The shim has taken everything below `offset`.
   * @throws NshError `invalidMessage` where that was never sent.
   */
  ack(offset: number): void {
    if (offset > this.#end)
      throw new NshError(
        'invalidMessage',
        `the shim acknowledges ${offset} bytes of input, but only ${this.#end} were sent`,
      );
    this.#acked = Math.max(this.#acked, offset);
    let dropped = 0;
    for (let chunk = this.#chunks[dropped]; chunk !== undefined; chunk = this.#chunks[dropped]) {
      const end = this.#start + chunk.length;
      if (end > offset) break;
      this.#start = end;
      dropped++;
    }
    if (dropped > 0) this.#chunks.splice(0, dropped);
    this.#sendIndex -= dropped;
    if (offset > this.#sent || this.#sendIndex < 0) this.#seek(Math.max(offset, this.#sent));
  }

  /** What the shim is not known to have taken. */
  get untaken(): Buffer {
    return Buffer.concat(this.#chunks).subarray(this.#acked - this.#start);
  }

  /** A new connection: the shim has taken everything below `offset`; what follows is sent again. */
  resume(offset: number): void {
    if (offset < this.#start)
      throw new NshError(
        'invalidMessage',
        `the shim has lost input: it stands at ${offset}, after having taken ${this.#start}`,
      );
    this.ack(offset);
    this.#seek(offset);
  }

  /** The next bytes to send, none at or beyond `limit`; undefined where there are none. */
  next(limit: number): InputPiece | undefined {
    const chunk = this.#chunks[this.#sendIndex];
    if (chunk === undefined || this.#sent >= limit) return undefined;
    const offset = this.#sent;
    const from = offset - this.#sendChunkStart;
    const bytes = chunk.subarray(from, Math.min(chunk.length, from + (limit - offset), from + maxFrameBytes));
    this.#sent += bytes.length;
    if (this.#sent === this.#sendChunkStart + chunk.length) {
      this.#sendIndex++;
      this.#sendChunkStart = this.#sent;
    }
    return { offset, bytes };
  }

  #seek(offset: number): void {
    let start = this.#start;
    let index = 0;
    for (const chunk of this.#chunks) {
      if (start + chunk.length > offset) break;
      start += chunk.length;
      index++;
    }
    this.#sent = offset;
    this.#sendIndex = index;
    this.#sendChunkStart = start;
  }
}
