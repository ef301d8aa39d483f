/**
 * How a bridge sends what comes from the socket: frames of a 32-bit length (big-endian) and that many bytes; length 0 is the end of file.
 * Neither an `ssh` program nor every login shell passes the end of a command's output on while the command still runs, so that a bare
 * stream could not end in one direction alone. The other direction is bare: the end of stdin always arrives.
 */
import { Duplex, Transform } from 'node:stream';
import { NshError } from '../protocol/errors.ts';

/** For `nsh-agent dial`: bytes in, frames out. */
export function frameWriter(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      this.push(header(chunk.length));
      callback(null, chunk);
    },
    flush(callback) {
      callback(null, header(0));
    },
  });
}

function header(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

/** The near end: takes frames from a command's output and writes bare bytes to its input. */
export class FramedStream extends Duplex {
  readonly #inner: Duplex;
  readonly #head = Buffer.alloc(4);
  #headBytes = 0;
  /** Bytes of the frame that are still to come. */
  #left = 0;
  #ended = false;

  constructor(inner: Duplex, node: string) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    // As ChannelStream: an error that nobody listens to must not end the process.
    this.on('error', () => undefined);
    inner.on('data', (chunk: Buffer) => this.#take(chunk));
    inner.on('error', (error) => this.destroy(error));
    const onEnd = (): void => {
      if (this.destroyed) return;
      if (this.#ended) return;
      this.destroy(new NshError('linkLost', `${node}: the bridge to a socket there broke off`));
    };
    inner.on('end', onEnd).on('close', onEnd);
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#inner.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#inner.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#inner.destroy();
    callback(error);
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    let hasRoom = true;
    while (rest.length > 0 && !this.#ended && !this.destroyed) {
      if (this.#left === 0) {
        rest = this.#takeHeader(rest);
        continue;
      }
      const part = rest.subarray(0, this.#left);
      this.#left -= part.length;
      rest = rest.subarray(part.length);
      hasRoom = this.push(part);
    }
    if (!hasRoom) this.#inner.pause();
  }

  #takeHeader(bytes: Buffer): Buffer {
    const taken = bytes.copy(this.#head, this.#headBytes, 0, 4 - this.#headBytes);
    this.#headBytes += taken;
    if (this.#headBytes === 4) {
      this.#headBytes = 0;
      this.#left = this.#head.readUInt32BE();
      if (this.#left === 0) {
        this.#ended = true;
        this.push(null);
      }
    }
    return bytes.subarray(taken);
  }
}
