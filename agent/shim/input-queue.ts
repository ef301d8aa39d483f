/**
 * Input of all clients of one process, in the order it came. Each client has its own position, kept over its reconnects, so that what
 * it sends again is not written twice. No client has more than `stdinWindowBytes` here.
 */
import { stdinWindowBytes } from '../../src/protocol/limits.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { InputSink } from './input-sink.ts';

/** Positions that are kept for clients; beyond, the one longest silent is forgotten. */
const maxClients = 256;
const smallBytes = 1024;
const blockBytes = 4096;

interface Position {
  /** Everything before it is here or written. */
  taken: number;
  /** Everything before it is written. */
  written: number;
  /** Its bytes come behind so many of others, and its end is nobody else's. */
  readonly behind: number | undefined;
  /** Absent while the client is not connected. */
  listener: InputListener | undefined;
}

/** One connection of a client. */
export interface InputListener {
  /** Everything before `offset` is written. */
  inputTaken(offset: number): void;
  /** The process has closed its stdin: what still comes is thrown away. */
  inputClosed(offset: number): void;
}

interface Entry {
  readonly position: Position;
  bytes: Buffer;
  /** `bytes` is the filled part of a block of our own, with room behind. */
  readonly block: Buffer | undefined;
}

export class InputQueue {
  readonly #sink: InputSink | undefined;
  readonly #positions = new Map<string, Position>();
  readonly #entries: Entry[] = [];
  #writing = false;
  /** The one that is being written. */
  #busy: Entry | undefined;
  /** Bytes of all clients. */
  #written = 0;
  #ending = false;
  #isUnread = false;

  /** @param sink absent where the process has /dev/null for its input: everything is taken and thrown away. */
  constructor(sink: InputSink | undefined) {
    this.#sink = sink;
    sink?.onClosed(() => {
      for (const { listener, taken } of this.#positions.values()) listener?.inputClosed(taken);
    });
  }

  /** What the shim has taken of this client's input, and how much may be on its way beyond what was acked. */
  connect(client: string, listener: InputListener, behind?: number): { offset: number; window: number } {
    const position = this.#positions.get(client) ?? { taken: 0, written: 0, behind, listener };
    position.listener = listener;
    // Deleted and set again: a Map keeps the order in which keys were added, so the first is the one longest silent.
    this.#positions.delete(client);
    this.#positions.set(client, position);
    this.#forgetOld();
    return { offset: position.taken, window: stdinWindowBytes };
  }

  /** Only where no newer connection of the client has come. */
  disconnect(client: string, listener: InputListener): void {
    const position = this.#positions.get(client);
    if (position?.listener === listener) position.listener = undefined;
  }

  /** @throws NshError `invalidMessage` where bytes are missing before `offset`, `tooLarge` beyond the window. */
  push(client: string, offset: number, bytes: Buffer): void {
    const position = this.#positions.get(client);
    if (position === undefined) throw new NshError('invalidMessage', 'input came from a client that has not opened');
    if (offset > position.taken) {
      throw new NshError('invalidMessage', `input at offset ${offset} came where ${position.taken} was next`);
    }
    const fresh = bytes.subarray(position.taken - offset);
    if (fresh.length === 0) return;
    // After a reconnect a client has a whole window again, beside what lies here from before.
    if (position.taken + fresh.length - position.written > 2 * stdinWindowBytes) {
      throw new NshError('tooLarge', `more than ${stdinWindowBytes} bytes of input came without an ack`);
    }
    position.taken += fresh.length;
    this.#add(position, fresh);
    this.#pump();
  }

  /** No more input from anyone, once what is here is written. @throws NshError `invalidMessage` where bytes before it are missing. */
  end(client: string, offset: number): void {
    const position = this.#positions.get(client);
    if (position === undefined || offset > position.taken) {
      throw new NshError(
        'invalidMessage',
        `input ended at ${offset}, of which ${position?.taken ?? 0} bytes have come`,
      );
    }
    if (position.behind === undefined) this.#ending = true;
    this.#pump();
    if (position.written === position.taken) position.listener?.inputTaken(position.written);
  }

  /** As `end`, whoever has written here and whatever may still be on its way. */
  finish(): void {
    this.#ending = true;
    this.#pump();
  }

  /** The process has ended: of what is being written its reader is told how much was, and of what comes nothing is taken. */
  processEnded(): void {
    if (this.#isUnread) return;
    this.#isUnread = true;
    const leftBytes = this.#sink?.abandon();
    if (leftBytes === undefined || !this.#writing || this.#busy === undefined) return;
    const { position, bytes } = this.#busy;
    position.listener?.inputTaken(position.written + bytes.length - leftBytes);
  }

  destroy(): void {
    this.#entries.length = 0;
    this.#sink?.destroy();
  }

  /** Small pieces share a block: a million of one byte must not cost a million buffers. */
  #add(position: Position, bytes: Buffer): void {
    const last = this.#entries.at(-1);
    const used = last?.bytes.length ?? 0;
    const isLastBusy = this.#writing && last === this.#busy;
    if (last?.block !== undefined && last.position === position && !isLastBusy && used + bytes.length <= blockBytes) {
      bytes.copy(last.block, used);
      last.bytes = last.block.subarray(0, used + bytes.length);
      return;
    }
    if (bytes.length > smallBytes || this.#entries.length === 0) {
      this.#entries.push({ position, bytes, block: undefined });
      return;
    }
    const block = Buffer.allocUnsafeSlow(blockBytes);
    bytes.copy(block);
    this.#entries.push({ position, bytes: block.subarray(0, bytes.length), block });
  }

  #pump(): void {
    if (this.#writing) return;
    const at = this.#entries.findIndex(({ position }) => (position.behind ?? 0) <= this.#written);
    const entry = this.#entries[at];
    if (entry === undefined) {
      if (this.#ending && this.#entries.length === 0) {
        this.#ending = false;
        this.#sink?.end();
      }
      return;
    }
    this.#writing = true;
    this.#busy = entry;
    const done = (): void => {
      this.#writing = false;
      const now = this.#entries.indexOf(entry);
      if (now !== -1) this.#entries.splice(now, 1);
      entry.position.written += entry.bytes.length;
      this.#written += entry.bytes.length;
      if (!this.#isUnread) entry.position.listener?.inputTaken(entry.position.written);
      this.#pump();
    };
    if (this.#sink === undefined) process.nextTick(done);
    else this.#sink.write(entry.bytes, done);
  }

  #forgetOld(): void {
    if (this.#positions.size <= maxClients) return;
    for (const [client, position] of this.#positions) {
      if (position.listener === undefined && position.taken === position.written) {
        this.#positions.delete(client);
        return;
      }
    }
  }
}
