/** Cuts a byte stream into lines. Chunks are joined once a line, however many there were, so a long line costs its length. */
import { NshError } from '../protocol/errors.ts';

const newline = 0x0a;
const nothing = Buffer.alloc(0);

export class LineSplitter {
  readonly #maxBytes: number;
  /** Pieces of a line whose end has not come. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** The newest chunk, from the first byte that belongs to no line yet. */
  #chunk: Buffer = nothing;

  /** @param maxBytes of one line without its newline. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Take every line with `next` before the next push. */
  push(chunk: Buffer): void {
    this.#chunk = this.#chunk.length === 0 ? chunk : Buffer.concat([this.#chunk, chunk]);
  }

  /** The next whole line without its newline. @throws NshError `tooLarge`: no boundary is known any more. */
  next(): Buffer | undefined {
    const end = this.#chunk.indexOf(newline);
    const piece = end === -1 ? this.#chunk : this.#chunk.subarray(0, end);
    if (this.#partBytes + piece.length > this.#maxBytes) {
      throw new NshError('tooLarge', `a message is over the limit of ${this.#maxBytes} bytes`);
    }
    if (end === -1) {
      if (piece.length > 0) this.#parts.push(piece);
      this.#partBytes += piece.length;
      this.#chunk = nothing;
      return undefined;
    }
    this.#chunk = this.#chunk.subarray(end + 1);
    return this.#join(piece);
  }

  /** What came after the last line that was taken; the splitter is empty afterwards. */
  takeRest(): Buffer {
    const rest = this.#join(this.#chunk);
    this.#chunk = nothing;
    return rest;
  }

  #join(last: Buffer): Buffer {
    if (this.#parts.length === 0) return last;
    const line = Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#partBytes = 0;
    return line;
  }
}
