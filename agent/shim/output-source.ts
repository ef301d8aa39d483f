/**
 * Reads one descriptor, a pipe or the master side of a terminal, into memory until its end. Exit is never the end of output: `drain`
 * takes what is there when the process is reaped, and a terminal's end is EIO, whatever end-of-file events came before.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { ReadStream } from 'node:tty';
import type { OutputMemory } from './output-memory.ts';

export interface SourceEvents {
  /** Bytes were added to memory. */
  readonly onData: () => void;
  /** No byte follows; the descriptor is being closed. Called once. */
  readonly onEnd: () => void;
}

const drainBytes = 64 * 1024;
/** More than a pipe or a terminal can hold: a grandchild that goes on writing must not keep us here. */
const maxDrainBytes = 512 * 1024;

export class OutputSource {
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #memory: OutputMemory;
  readonly #events: SourceEvents;
  #paused = false;
  #ended = false;

  constructor(fd: number, kind: 'pipe' | 'pty', memory: OutputMemory, events: SourceEvents) {
    this.#fd = fd;
    this.#memory = memory;
    this.#events = events;
    const onread = {
      buffer: () => memory.readBuffer(),
      // Always true: after false Node would read into the same buffer again.
      callback: (count: number): boolean => {
        memory.commit(count);
        events.onData();
        return true;
      },
    };
    this.#socket =
      kind === 'pty'
        ? new ReadStream(fd, { onread, allowHalfOpen: true } as object)
        : new Socket({ fd, readable: true, writable: false, onread } as object);
    this.#socket.on('end', () => this.#finish());
    // EIO is how a terminal ends; whatever else it is, nothing more can be read.
    this.#socket.on('error', () => this.#finish());
    this.#socket.resume();
  }

  get ended(): boolean {
    return this.#ended;
  }

  pause(): void {
    if (this.#paused || this.#ended) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#ended) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Takes what can be read at once, ends where that is the end. */
  drain(): void {
    if (this.#ended) return;
    if (this.#readRest() === 'end') this.#finish();
  }

  /** Ends now, leaving to nobody what may still come: a terminal whose leader has gone. */
  close(): void {
    if (this.#ended) return;
    this.#readRest();
    this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    // libuv reports the end of a terminal at the first hang-up, with bytes still to be read.
    if (!this.#socket.destroyed) this.#readRest();
    this.#socket.destroy();
    this.#memory.close();
    this.#events.onEnd();
  }

  #readRest(): 'end' | 'open' {
    let taken = 0;
    let result: 'end' | 'open' = 'open';
    const buffer = Buffer.allocUnsafe(drainBytes);
    while (taken < maxDrainBytes) {
      let count: number;
      try {
        count = readSync(this.#fd, buffer, 0, drainBytes, null);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== 'EAGAIN') result = 'end';
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
