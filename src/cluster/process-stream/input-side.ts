/**
 * The input of one client: a Writable whose bytes go out at once while the shim has room for them, are kept until it has taken
 * them, and are sent again from its offset after a lost connection.
 */
import { Writable } from 'node:stream';
import { encodeOffset, streamNumbers } from '../../protocol/frames.ts';
import { stdinWindowBytes } from '../../protocol/limits.ts';
import type { FrameConnection } from './frame-connection.ts';
import { InputQueue } from './input-queue.ts';

export class InputSide {
  readonly writable: Writable;
  readonly #queue = new InputQueue();
  #connection: FrameConnection | undefined;
  /** Offset up to which the shim takes input before its next ack. */
  #limit = 0;
  #windowBytes = 0;
  #socketFull = false;
  #eofSent = false;
  #gone = false;
  /** The writer waits until so much of what it wrote was taken. */
  #whenRoom: (() => void) | undefined;

  constructor() {
    this.writable = new Writable({
      highWaterMark: 64 * 1024,
      write: (chunk: Buffer, _encoding, done) => this.#write(chunk, done),
      final: (done) => {
        this.#queue.close();
        this.#flush();
        done();
      },
    });
  }

  opened(connection: FrameConnection, stdin: { readonly offset: number; readonly window: number }): void {
    this.#queue.resume(stdin.offset);
    this.#connection = connection;
    this.#windowBytes = stdin.window;
    this.#limit = stdin.offset + stdin.window;
    this.#socketFull = false;
    this.#eofSent = false;
    this.#flush();
    this.#giveRoom();
  }

  get untaken(): Buffer {
    return this.#queue.untaken;
  }

  lost(): void {
    this.#connection = undefined;
  }

  acked(offset: number): void {
    this.#queue.ack(offset);
    this.#limit = offset + this.#windowBytes;
    this.#flush();
    this.#giveRoom();
  }

  drained(): void {
    this.#socketFull = false;
    this.#flush();
  }

  /** Nobody takes input any more: what is written from now on is dropped. */
  discard(): void {
    this.#gone = true;
    this.#connection = undefined;
    this.#giveRoom();
  }

  #write(chunk: Buffer, done: () => void): void {
    if (this.#gone) {
      if (this.#queue.unackedBytes < stdinWindowBytes) this.#queue.push(chunk);
      done();
      return;
    }
    this.#queue.push(chunk);
    this.#flush();
    if (this.#queue.unackedBytes <= stdinWindowBytes) done();
    else this.#whenRoom = done;
  }

  #flush(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#eofSent) return;
    while (!this.#socketFull) {
      const piece = this.#queue.next(this.#limit);
      if (piece === undefined) break;
      this.#socketFull = !connection.sendData(streamNumbers.stdin, piece.offset, piece.bytes);
    }
    if (!this.#queue.closed || !this.#queue.allSent) return;
    this.#eofSent = true;
    connection.send(encodeOffset('eof', streamNumbers.stdin, this.#queue.endOffset));
  }

  #giveRoom(): void {
    if (!this.#gone && this.#queue.unackedBytes > stdinWindowBytes) return;
    const done = this.#whenRoom;
    this.#whenRoom = undefined;
    done?.();
  }
}
