/**
 * One connection to a shim: frames in, frames out. It knows nothing of offsets or of resuming; when it is over it says why, once.
 */
import type { Duplex } from 'node:stream';
import { NshError, toNshError } from '../../protocol/errors.ts';
import { encodeDataHeader, FrameDecoder, type Frame, type StreamNumber } from '../../protocol/frames.ts';

/** Below this a frame is copied into one buffer: one small write is cheaper than two gathered ones. */
const copyBelowBytes = 4096;
const finishDeadlineMs = 2_000;

export interface FrameConnectionEvents {
  readonly onFrame: (frame: Frame) => void;
  /** The socket takes bytes again after `send` said false. */
  readonly onDrain?: () => void;
  /**
   * Nothing more comes; called once. Without an error where the peer ended the stream between two frames: then frames can still be
   * sent, until `finish` or `destroy`.
   */
  readonly onClose: (error: NshError | undefined) => void;
}

export class FrameConnection {
  readonly #socket: Duplex;
  readonly #events: FrameConnectionEvents;
  readonly #decoder = new FrameDecoder();
  #open = true;
  #closeReported = false;

  constructor(socket: Duplex, events: FrameConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A dialled stream comes paused, so that no byte is lost before somebody listens.
    socket.resume();
    socket.on('drain', () => {
      if (this.#open) this.#events.onDrain?.();
    });
    socket.on('error', (error) => this.#over(toNshError(error, 'linkLost')));
    socket.on('end', () => this.#peerEnded());
    socket.on('close', () => this.#over(new NshError('linkLost', 'the connection to the process was closed')));
  }

  /** False where the socket's buffer is full; go on at `onDrain`. */
  send(frame: Buffer): boolean {
    return this.#open && this.#socket.write(frame);
  }

  sendData(stream: StreamNumber, offset: number, bytes: Buffer): boolean {
    if (!this.#open) return false;
    const header = encodeDataHeader(stream, offset, bytes.length);
    if (bytes.length < copyBelowBytes) return this.#socket.write(Buffer.concat([header, bytes]));
    this.#socket.cork();
    this.#socket.write(header);
    const room = this.#socket.write(bytes);
    this.#socket.uncork();
    return room;
  }

  /** Sends what is still queued and closes; nothing is reported any more. */
  finish(): void {
    this.#open = false;
    this.#socket.end();
    // Whatever the peer still sends is dropped, so that its own end can come; one that never ends is cut.
    this.#socket.resume();
    const cut = setTimeout(() => this.#socket.destroy(), finishDeadlineMs).unref();
    this.#socket.once('close', () => clearTimeout(cut));
  }

  /** Closes at once; nothing is reported any more. */
  destroy(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (!this.#open) return;
    try {
      for (const frame of this.#decoder.push(chunk)) {
        this.#events.onFrame(frame);
        if (!this.#open) return;
      }
    } catch (error) {
      this.#over(toNshError(error));
    }
  }

  #peerEnded(): void {
    if (this.#decoder.pendingBytes > 0) this.#over(new NshError('linkLost', 'the connection broke within a frame'));
    else if (this.#open) this.#report(undefined);
  }

  #over(error: NshError): void {
    if (!this.#open) return;
    this.destroy();
    this.#report(error);
  }

  #report(error: NshError | undefined): void {
    if (this.#closeReported) return;
    this.#closeReported = true;
    this.#events.onClose(error);
  }
}
