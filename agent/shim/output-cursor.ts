/**
 * Sends one output stream to one client: from memory, else from the log, else the client is told of the gap. Never more than the client's
 * window beyond what it acked, and nothing while the connection takes no more.
 */
import { maxBehindBytes } from '../../src/protocol/limits.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { StreamNumber } from '../../src/protocol/frames.ts';
import type { OutputView, Piece } from './output-view.ts';

export interface CursorOutput {
  /** False while what was sent before has not left. */
  readonly isWritable: boolean;
  sendData(stream: StreamNumber, offset: number, piece: Piece): void;
  sendGap(stream: StreamNumber, from: number, to: number): void;
  sendEof(stream: StreamNumber, offset: number): void;
}

export interface CursorOptions {
  readonly view: OutputView;
  readonly output: CursorOutput;
  readonly from: number;
  readonly window: number;
  /** Who is this far behind is sent on to the newest byte. */
  readonly skipsAhead: boolean;
  /** Where to stop though more may follow. */
  readonly until: number | undefined;
  /** An asynchronous read is done, `pump` may go on. */
  readonly onReady: () => void;
}

/** Payload of one frame: as much as one read of a pipe brings. */
const maxDataBytes = 64 * 1024;

export class OutputCursor {
  readonly #options: CursorOptions;
  #position: number;
  #acked: number;
  #isReading = false;
  #isDone = false;

  constructor(options: CursorOptions) {
    this.#options = options;
    this.#position = options.from;
    this.#acked = options.from;
  }

  get position(): number {
    return this.#position;
  }

  /** Eof has been sent. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** @throws NshError `invalidMessage` where the client acks what it was never sent. */
  ack(offset: number): void {
    if (offset > this.#position) {
      throw new NshError('invalidMessage', `an ack of offset ${offset} came where ${this.#position} was sent`);
    }
    this.#acked = Math.max(this.#acked, offset);
  }

  /** Sends what may be sent, up to `limit`. */
  pump(limit = Infinity): void {
    const { view, output, window, skipsAhead, until = Infinity, onReady } = this.#options;
    while (!this.#isDone && !this.#isReading && output.isWritable) {
      const end = Math.min(view.end, until);
      if (this.#position >= end) {
        this.#endWhereClosed(end);
        return;
      }
      const credit = this.#acked + window - this.#position;
      if (this.#position >= limit || credit <= 0) return;
      if (skipsAhead && end - this.#position > maxBehindBytes) {
        this.#skipTo(end);
        continue;
      }
      const readable = Math.min(view.nextReadable(this.#position), end);
      if (readable > this.#position) {
        this.#skipTo(readable);
        continue;
      }
      const room = Math.min(
        maxDataBytes,
        this.#acked + window - this.#position,
        limit - this.#position,
        end - this.#position,
      );
      if (room <= 0) return;
      const piece = view.at(this.#position, room);
      if (piece !== undefined) {
        this.#send(piece);
        continue;
      }
      this.#isReading = true;
      void this.#readLog(room).then(onReady);
      return;
    }
  }

  async #readLog(room: number): Promise<void> {
    const { view } = this.#options;
    const at = this.#position;
    const bytes = await view.readLog(at, room);
    this.#isReading = false;
    if (bytes.length > 0) {
      this.#send({ bytes, slab: undefined });
      return;
    }
    // The log was cut while it was read, or a file is shorter than it was: what cannot be read is a gap.
    if (view.at(at, 1) === undefined && view.nextReadable(at) === at) this.#skipTo(this.#afterHole(at));
  }

  #afterHole(at: number): number {
    const { view } = this.#options;
    let next = at + 1;
    // Holes are rare and end at a segment or at memory; look in steps rather than byte by byte.
    while (next < view.end && view.nextReadable(next) === next && view.at(next, 1) === undefined) next += maxDataBytes;
    return Math.min(view.end, view.nextReadable(next));
  }

  #send(piece: Piece): void {
    const { view, output } = this.#options;
    output.sendData(view.number, this.#position, piece);
    this.#position += piece.bytes.length;
  }

  #skipTo(offset: number): void {
    const { view, output } = this.#options;
    output.sendGap(view.number, this.#position, offset);
    this.#position = offset;
    this.#acked = Math.max(this.#acked, offset);
  }

  #endWhereClosed(end: number): void {
    const { view, output, until } = this.#options;
    if (!view.closed && until === undefined) return;
    this.#isDone = true;
    output.sendEof(view.number, end);
  }
}
