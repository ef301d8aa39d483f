/** Where input goes: the write end of the process's stdin pipe, or the master side of its terminal. */
import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

export interface InputSink {
  /** Calls back when all of it has left; the caller has at most one write under way. Never throws. */
  write(bytes: Buffer, done: () => void): void;
  /** No more input. */
  end(): void;
  /** Calls back once, where the process has closed its end. */
  onClosed(listener: () => void): void;
  /** Nobody will read what is still here. @returns how many bytes of the write that is under way that is; undefined where it is not known. */
  abandon(): number | undefined;
  /** Lets go of the descriptor, with what has not been written. */
  destroy(): void;
}

/** A pipe: libuv waits until the process reads. Input that nobody will read (EPIPE) is thrown away, as sshd does. */
export class PipeSink implements InputSink {
  readonly #fd: number;
  /** Made at the first write: most short processes get no input. */
  #socket: Socket | undefined;
  #isClosed = false;
  #onClosed: (() => void) | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  onClosed(listener: () => void): void {
    this.#onClosed = listener;
  }

  write(bytes: Buffer, done: () => void): void {
    if (this.#isClosed) {
      process.nextTick(done);
      return;
    }
    this.#socket ??= this.#open();
    if (this.#socket.writable) this.#socket.write(bytes, () => done());
    else process.nextTick(done);
  }

  end(): void {
    if (this.#socket === undefined) this.destroy();
    else if (this.#socket.writable) this.#socket.end();
  }

  /** How much of a write a pipe has taken is libuv's to know. */
  abandon(): undefined {}

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#socket === undefined) closeSync(this.#fd);
    else this.#socket.destroy();
  }

  #open(): Socket {
    const socket = new Socket({ fd: this.#fd, readable: false, writable: true });
    // EPIPE: the process has closed its stdin. Every later write calls back at once.
    socket.on('error', () => this.#onClosed?.());
    return socket;
  }
}

const firstWaitMs = 1;
const longestWaitMs = 64;
/** ^D: what a person types for "no more input" (VEOF, termios(3)). */
const endOfInput = Buffer.from([4]);

/**
 * A terminal: written directly, since the kernel calls a full terminal writable and libuv would spin on it. While it takes nothing, or
 * nobody has it open (EIO), it is tried again after 1, 2, … 64 ms.
 */
export class TerminalSink implements InputSink {
  readonly #fd: number;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #leftBytes = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Buffer, done: () => void): void {
    this.#attempt(bytes, done, firstWaitMs);
  }

  /** Who uses a terminal may come and go: it is never closed to input. */
  onClosed(): void {}

  end(): void {
    this.#attempt(endOfInput, () => undefined, firstWaitMs);
  }

  abandon(): number {
    this.destroy();
    return this.#leftBytes;
  }

  destroy(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #attempt(bytes: Buffer, done: () => void, waitMs: number): void {
    let rest = bytes;
    let wait = waitMs;
    this.#leftBytes = rest.length;
    while (rest.length > 0 && !this.#closed) {
      try {
        const count = writeSync(this.#fd, rest);
        rest = rest.subarray(count);
        this.#leftBytes = rest.length;
        if (count > 0) wait = firstWaitMs;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EAGAIN' && code !== 'EIO') break;
        this.#timer = setTimeout(() => this.#attempt(rest, done, Math.min(wait * 2, longestWaitMs)), wait);
        return;
      }
    }
    if (!this.#closed) done();
  }
}
