/** Where input goes: the write end of the process's stdin pipe, or the master side of its terminal. */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';

export interface InputSink {
  /** Calls back when all of it has left; the caller has at most one write under way. Never throws. */
  write(bytes: Buffer, done: () => void): void;
  /** No more input. */
  end(): void;
  /** Lets go of the descriptor, with what has not been written. */
  destroy(): void;
}

/** A pipe: libuv waits until the process reads. Input that nobody will read (EPIPE) is thrown away, as sshd does. */
export class PipeSink implements InputSink {
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    // EPIPE: the process has closed its stdin. Every later write calls back at once.
    this.#socket.on('error', () => undefined);
  }

  write(bytes: Buffer, done: () => void): void {
    if (this.#socket.destroyed || !this.#socket.writable) {
      process.nextTick(done);
      return;
    }
    this.#socket.write(bytes, () => done());
  }

  end(): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const firstWaitMs = 1;
const longestWaitMs = 64;
/** ^D: what a person types for "no more input" (VEOF, termios(3)). */
const endOfInput = Buffer.from([4]);

/**
 * A terminal: written directly, since the kernel calls a full terminal writable and libuv would spin on it. While it takes nothing
 * it is tried again after 1, 2, … 64 ms.
 */
export class TerminalSink implements InputSink {
  readonly #fd: number;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Buffer, done: () => void): void {
    this.#attempt(bytes, done, firstWaitMs);
  }

  end(): void {
    this.#attempt(endOfInput, () => undefined, firstWaitMs);
  }

  destroy(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #attempt(bytes: Buffer, done: () => void, waitMs: number): void {
    let rest = bytes;
    let wait = waitMs;
    while (rest.length > 0 && !this.#closed) {
      try {
        const count = writeSync(this.#fd, rest);
        rest = rest.subarray(count);
        if (count > 0) wait = firstWaitMs;
      } catch (error) {
        // EIO: nobody holds the terminal any more, and nobody will read this.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
        this.#timer = setTimeout(() => this.#attempt(rest, done, Math.min(wait * 2, longestWaitMs)), wait);
        return;
      }
    }
    done();
  }
}
