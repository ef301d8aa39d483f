/**
 * The part of one output stream that is held in memory: [base, end). It grows as the process writes and is cut from the front when
 * nobody needs it any more: the log has it, the foreground client has acked it, other clients are past it or too far behind.
 */
import type { Slab, SlabPool } from './slab.ts';

interface Chunk {
  offset: number;
  bytes: Buffer;
  readonly slab: Slab | undefined;
}

/** Below this much room a read would be cut into pieces: a new slab is begun. */
const minReadBytes = 4096;

export class OutputMemory {
  readonly #pool: SlabPool;
  #chunks: Chunk[] = [];
  #current: Slab | undefined;
  #end = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Offset of the first byte in memory; `end` where nothing is held. */
  get base(): number {
    return this.#chunks[0]?.offset ?? this.#end;
  }

  /** Bytes that the process has written so far. */
  get end(): number {
    return this.#end;
  }

  /** Where the next read goes to. */
  readBuffer(): Buffer {
    const current = this.#current;
    if (current !== undefined && current.bytes.length - current.filled >= minReadBytes) {
      return current.bytes.subarray(current.filled);
    }
    current?.release();
    const slab = this.#pool.take();
    this.#current = slab;
    return slab.bytes;
  }

  /** `count` bytes were read into the newest read buffer. */
  commit(count: number): void {
    const slab = this.#current;
    if (slab === undefined) throw new Error('bytes were committed before a buffer was taken');
    const from = slab.filled;
    slab.filled += count;
    const last = this.#chunks.at(-1);
    if (last?.slab === slab) {
      last.bytes = slab.bytes.subarray(from - last.bytes.length, slab.filled);
    } else {
      slab.retain();
      this.#chunks.push({ offset: this.#end, bytes: slab.bytes.subarray(from, slab.filled), slab });
    }
    this.#end += count;
  }

  /** Takes over bytes that were read elsewhere, leaving the newest read buffer as it is. */
  append(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.push({ offset: this.#end, bytes, slab: undefined });
    this.#end += bytes.length;
  }

  /** Bytes from `offset` on that lie in one piece, at most `max`; undefined where memory does not hold that offset. */
  at(offset: number, max: number): { readonly bytes: Buffer; readonly slab: Slab | undefined } | undefined {
    if (offset < this.base || offset >= this.#end) return undefined;
    const chunk = this.#find(offset);
    const from = offset - chunk.offset;
    return { bytes: chunk.bytes.subarray(from, from + max), slab: chunk.slab };
  }

  /** All pieces from `offset` on, at most `max` bytes together. */
  pieces(offset: number, max: number): { readonly bytes: Buffer; readonly slab: Slab | undefined }[] {
    const found = [];
    let left = max;
    let next = offset;
    while (left > 0) {
      const piece = this.at(next, left);
      if (piece === undefined) break;
      found.push(piece);
      next += piece.bytes.length;
      left -= piece.bytes.length;
    }
    return found;
  }

  /** Lets go of whole pieces that end at or before `offset`. */
  drop(offset: number): void {
    let count = 0;
    for (const chunk of this.#chunks) {
      if (chunk.offset + chunk.bytes.length > offset) break;
      chunk.slab?.release();
      count++;
    }
    if (count > 0) this.#chunks.splice(0, count);
  }

  /** No read follows: what little is left moves to memory of its own size, so that a short process does not hold a slab. */
  close(): void {
    this.#current?.release();
    this.#current = undefined;
    const left = this.#end - this.base;
    if (left === 0 || left > minReadBytes * 4) return;
    const offset = this.base;
    const bytes = Buffer.concat(this.#chunks.map((chunk) => chunk.bytes));
    this.drop(this.#end);
    this.#chunks = [{ offset, bytes, slab: undefined }];
  }

  #find(offset: number): Chunk {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.offset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const chunk = this.#chunks[low];
    if (chunk === undefined) throw new Error(`no chunk holds offset ${offset}`);
    return chunk;
  }
}
