/**
 * Puts a prefix before each line of a byte stream. Pure. Only whole lines come out, so that those of several nodes do not mix; a
 * line longer than 1 MiB is cut there, each piece with its prefix. The last line gets a line feed where it has none.
 */

const longestLineBytes = 1024 * 1024;
const lineFeed = 0x0a;
const nothing = Buffer.alloc(0);

export class LinePrefixer {
  readonly #prefix: Buffer;
  /** Beginning of a line whose end has not come. */
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
  }

  /** The lines that `bytes` completes. */
  push(bytes: Buffer): Buffer {
    const last = bytes.lastIndexOf(lineFeed);
    if (last === -1) {
      this.#keep(bytes);
      return this.#restBytes < longestLineBytes ? nothing : this.end();
    }
    const parts: Buffer[] = [this.#prefix, ...this.#rest];
    this.#rest = [];
    this.#restBytes = 0;
    for (let at = 0; at <= last; ) {
      const end = bytes.indexOf(lineFeed, at) + 1;
      if (at > 0) parts.push(this.#prefix);
      parts.push(bytes.subarray(at, end));
      at = end;
    }
    this.#keep(bytes.subarray(last + 1));
    return Buffer.concat(parts);
  }

  /** What is left, as a line. */
  end(): Buffer {
    if (this.#restBytes === 0) return nothing;
    const parts = [this.#prefix, ...this.#rest, Buffer.from('\n')];
    this.#rest = [];
    this.#restBytes = 0;
    return Buffer.concat(parts);
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#rest.push(bytes);
    this.#restBytes += bytes.length;
  }
}
