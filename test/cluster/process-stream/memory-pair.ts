/** Two ends of a byte stream in memory. Bytes are cut into pieces of odd sizes, and the pair can be broken at any byte. */
import { Duplex } from 'node:stream';

export interface PairOptions {
  /** Size of the next piece; default: chunks go through as they were written. */
  readonly pieceBytes?: () => number;
  /** The pair breaks after so many bytes in the direction b → a. */
  readonly breakAfterBytes?: number;
}

export interface MemoryPair {
  readonly a: Duplex;
  readonly b: Duplex;
  cut(): void;
}

export function memoryPair(options: PairOptions = {}): MemoryPair {
  let left = options.breakAfterBytes ?? Infinity;
  const cut = (): void => {
    a.destroy();
    b.destroy();
  };
  const a: End = new End(
    () => b,
    (bytes, give) => pieces(bytes, options.pieceBytes, give),
  );
  const b: End = new End(
    () => a,
    (bytes, give) => {
      const allowed = bytes.subarray(0, left);
      left -= allowed.length;
      pieces(allowed, options.pieceBytes, give);
      if (left === 0) setImmediate(cut);
    },
  );
  return { a, b, cut };
}

function pieces(bytes: Buffer, size: (() => number) | undefined, give: (piece: Buffer) => void): void {
  if (size === undefined) return give(bytes);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + size());
    give(bytes.subarray(at, end));
    at = end;
  }
}

class End extends Duplex {
  readonly #peer: () => End;
  readonly #carry: (bytes: Buffer, give: (piece: Buffer) => void) => void;
  #resume: (() => void) | undefined;

  constructor(peer: () => End, carry: (bytes: Buffer, give: (piece: Buffer) => void) => void) {
    super({ allowHalfOpen: true });
    this.#peer = peer;
    this.#carry = carry;
  }

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const peer = this.#peer();
    if (peer.destroyed) return done(new Error('the other end has gone'));
    let room = true;
    this.#carry(chunk, (piece) => {
      room = peer.push(piece);
    });
    if (room) done();
    else peer.#resume = done;
  }

  override _final(done: () => void): void {
    const peer = this.#peer();
    if (!peer.destroyed) peer.push(null);
    done();
  }
}
