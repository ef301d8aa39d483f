/**
 * Reads one descriptor, a pipe or the master side of a terminal, into memory until its end. Exit is never the end of output: `drain`
 * takes what is there when the process is reaped. Nor is the end of a terminal while its process lives: EIO only says that nobody has it
 * open now. To close the master then would hang the process up, which may be about to exit, or to open /dev/tty again.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { ReadStream } from 'node:tty';
import { noteOutput } from './compiler.ts';
import type { OutputMemory } from './output-memory.ts';

export interface SourceEvents {
  /** Bytes were added to memory. */
  readonly onData: () => void;
  /** No byte follows; the descriptor has been closed. Called once. */
  readonly onEnd: () => void;
}

const drainBytes = 64 * 1024;
/** More than a pipe or a terminal can hold: a grandchild that goes on writing must not keep us here. */
const maxDrainBytes = 512 * 1024;
/** How often a terminal that nobody has open is looked at, while its process lives. */
const lookAgainMs = 100;

/** Node closes a terminal at the first error that a read gives, EIO among them: here its owner does. */
class TerminalReader extends ReadStream {
  onReadError: (() => void) | undefined;
  #mayClose = false;

  override destroy(error?: Error): this {
    if (this.#mayClose) return super.destroy(error);
    this.onReadError?.();
    return this;
  }

  closeNow(): void {
    this.#mayClose = true;
    super.destroy();
  }
}

export class OutputSource {
  readonly #fd: number;
  readonly #socket: Socket | TerminalReader;
  readonly #memory: OutputMemory;
  readonly #events: SourceEvents;
  #isPaused = false;
  #hasEnded = false;
  /** The process has been reaped: the next end is the end. Always so with a pipe. */
  #mayEnd: boolean;
  #lookTimer: NodeJS.Timeout | undefined;

  constructor(fd: number, kind: 'pipe' | 'pty', memory: OutputMemory, events: SourceEvents) {
    this.#fd = fd;
    this.#memory = memory;
    this.#events = events;
    this.#mayEnd = kind === 'pipe';
    const onread = {
      buffer: () => memory.readBuffer(),
      // Always true: after false Node would read into the same buffer again.
      callback: (count: number): boolean => {
        memory.commit(count);
        noteOutput(count);
        events.onData();
        return true;
      },
    };
    this.#socket = kind === 'pty' ? this.#openTerminal(fd, onread) : this.#openPipe(fd, onread);
    this.#socket.resume();
  }

  pause(): void {
    if (this.#isPaused || this.#hasEnded) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.#hasEnded) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** A terminal whose process has been reaped: what it has not read may be half a line. */
  makeRaw(): void {
    if (this.#socket instanceof TerminalReader && !this.#hasEnded) this.#socket.setRawMode(true);
  }

  /** The process has been reaped: takes what can be read at once, and ends where that is the end. */
  drain(): void {
    if (this.#hasEnded) return;
    this.#mayEnd = true;
    if (this.#readRest() === 'end') this.#finish();
  }

  /** Ends now, leaving to nobody what may still come: a terminal whose leader has gone. */
  close(): void {
    if (this.#hasEnded) return;
    this.#readRest();
    this.#finish();
  }

  #openPipe(fd: number, onread: object): Socket {
    const socket = new Socket({ fd, readable: true, writable: false, onread } as object);
    socket.on('end', () => this.#reachedEnd());
    // Whatever it is, nothing more can be read.
    socket.on('error', () => this.#reachedEnd());
    return socket;
  }

  #openTerminal(fd: number, onread: object): TerminalReader {
    const reader = new TerminalReader(fd, { onread, allowHalfOpen: true } as object);
    reader.onReadError = () => this.#reachedEnd();
    // libuv reports the end of a terminal at the first hang-up, with bytes still to be read.
    reader.on('end', () => this.#reachedEnd());
    return reader;
  }

  #reachedEnd(): void {
    if (this.#hasEnded || this.#lookTimer !== undefined) return;
    this.#readRest();
    if (this.#mayEnd) this.#finish();
    else this.#lookTimer = setInterval(() => this.#lookAgain(), lookAgainMs);
  }

  #lookAgain(): void {
    if (!this.#isPaused) this.#readRest();
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#lookTimer);
    if (this.#socket instanceof TerminalReader) this.#socket.closeNow();
    else this.#socket.destroy();
    this.#memory.close();
    this.#events.onEnd();
  }

  #readRest(): 'end' | 'open' {
    if (this.#socket.destroyed) return 'end';
    let taken = 0;
    let result: 'end' | 'open' = 'open';
    const buffer = Buffer.allocUnsafe(drainBytes);
    while (taken < maxDrainBytes) {
      let count: number;
      try {
        count = readSync(this.#fd, buffer, 0, drainBytes, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') result = 'end';
        break;
      }
      if (count === 0) {
        result = 'end';
        break;
      }
      this.#memory.append(Buffer.from(buffer.subarray(0, count)));
      taken += count;
    }
    if (taken > 0) this.#events.onData();
    return result;
  }
}
