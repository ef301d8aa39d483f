/**
 * Stream frames, on a shim's socket: bytes flow client ⇄ shim without passing through the agent of the process's node.
 *
 *   frame   = type (u8) · length of payload (u32, big-endian) · payload
 *   offsets = u64, big-endian, a count of bytes since the stream began
 *
 * The first frame is `open`. A first byte of `{` instead makes the connection a JSON-RPC one (the agent's own talk with its shim).
 * Every type is below 0x20, so the two never meet. Lengths beyond `maxFrameBytes` (64 KiB for JSON frames) end the connection.
 * Described in man/nsh-protocol.7.
 */
import * as v from 'valibot';
import { exitStatusSchema, keptSchema, processRefSchema, type ExitStatus } from './process.ts';
import { maxFrameBytes, maxHeadFrameBytes } from './limits.ts';
import { NshError } from './errors.ts';

export const frameTypes = {
  /** client → shim: JSON, `openFrame`. */
  open: 0x01,
  /** shim → client: JSON, `openedFrame`. */
  opened: 0x02,
  /** Both ways: stream (u8) · offset of the first byte (u64) · bytes. */
  data: 0x03,
  /** Both ways: stream (u8) · offset up to which all was taken (u64). Credit: see `window`. */
  ack: 0x04,
  /** client → shim: cols (u16) · rows (u16). shim → client: the same, when another client resized. */
  resize: 0x05,
  /** Both ways: stream (u8) · final offset (u64). No byte of that stream follows. */
  eof: 0x06,
  /** shim → client: JSON, `exitFrame`. After the eof of every output stream. */
  exit: 0x07,
  /** shim → client: stream (u8) · first offset that is missing (u64) · offset that comes next (u64). */
  gap: 0x08,
  /** client → shim: signal number (u8) · 1 for the foreground process group of the terminal, else the process's own group (u8). */
  signal: 0x09,
  /** client → shim: u8. 0: leave it running. 1: the client ends, apply on-disconnect at once. */
  detach: 0x0a,
  /** shim → client: JSON, a WireError. The connection closes after it. */
  error: 0x0b,
} as const;
export type FrameName = keyof typeof frameTypes;

/** `report`: what the process left on its channel, whole, before the exit frame; it needs no credit. */
export const streamNumbers = { stdin: 0, stdout: 1, stderr: 2, report: 3 } as const;
export type StreamNumber = (typeof streamNumbers)[keyof typeof streamNumbers];

/** Where to begin: an offset, the oldest byte kept, or only what is new. */
const startOffset = v.union([v.pipe(v.number(), v.integer(), v.minValue(0)), v.literal('oldest'), v.literal('newest')]);

export const openFrame = v.object({
  version: v.number(),
  process: processRefSchema,
  /** Random, chosen once by a client and kept over reconnects: it owns an input position. */
  client: v.pipe(v.string(), v.minLength(8), v.maxLength(64)),
  /**
   * `foreground`: started it, gets every byte, and the process waits for it. `attach`: reads and writes, never holds it up.
   * `read`: never writes; ends at the end of output (logs). `feed`: writes to its stdin, even where that is not its terminal, and gets no output.
   */
  role: v.picklist(['foreground', 'attach', 'read', 'feed']),
  from: v.object({ stdout: startOffset, stderr: v.optional(startOffset) }),
  /** Bytes of output that may be unacked on each stream. */
  window: v.pipe(v.number(), v.integer(), v.minValue(4096), v.maxValue(64 * 1024 * 1024)),
  /**
   * `feed` only: its bytes come behind so many of other clients, and its eof ends nothing. For what is brought on another way from some point
   * on, while whoever began ends it.
   */
  behind: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** Terminal size of the client; absent: leave it as it is. */
  size: v.optional(v.object({ cols: v.number(), rows: v.number() })),
  /** `read` only: false stops at what is there now instead of following. Default true. */
  follow: v.optional(v.boolean()),
  /** `attach` only: false gets every byte that is kept, however far behind it is, where others are sent on. Default true. */
  skips: v.optional(v.boolean()),
});
export type OpenFrame = v.InferOutput<typeof openFrame>;

export const openedFrame = v.object({
  version: v.number(),
  io: v.picklist(['pty', 'pipes']),
  stdout: keptSchema,
  stderr: v.optional(keptSchema),
  /** Input of this client that the shim has taken, and how much more it takes before an ack. */
  stdin: v.object({ offset: v.number(), window: v.number() }),
  size: v.optional(v.object({ cols: v.number(), rows: v.number() })),
});
export type OpenedFrame = v.InferOutput<typeof openedFrame>;

export const exitFrame = v.object({
  ...exitStatusSchema.entries,
  /** Base64: what was typed on the terminal and read by nobody; for the foreground client of the process. */
  unread: v.optional(v.string()),
});

const headerBytes = 5;
const jsonTypes: ReadonlySet<number> = new Set([frameTypes.open, frameTypes.opened, frameTypes.exit, frameTypes.error]);
/** Exact or greatest payload length by type; JSON frames have their own bound. */
const fixedLengths: Readonly<Record<number, number>> = {
  [frameTypes.ack]: 9,
  [frameTypes.resize]: 4,
  [frameTypes.eof]: 9,
  [frameTypes.gap]: 17,
  [frameTypes.signal]: 2,
  [frameTypes.detach]: 1,
};

export type Frame =
  | { readonly type: 'open' | 'opened' | 'exit' | 'error'; readonly json: unknown }
  | { readonly type: 'data'; readonly stream: StreamNumber; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: 'ack' | 'eof'; readonly stream: StreamNumber; readonly offset: number }
  | { readonly type: 'resize'; readonly cols: number; readonly rows: number }
  | { readonly type: 'gap'; readonly stream: StreamNumber; readonly from: number; readonly to: number }
  | { readonly type: 'signal'; readonly signal: number; readonly foreground: boolean }
  | { readonly type: 'detach'; readonly final: boolean };

function frameBuffer(type: number, payloadBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(headerBytes + payloadBytes);
  buffer[0] = type;
  buffer.writeUInt32BE(payloadBytes, 1);
  return buffer;
}

function writeOffset(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  buffer.writeUInt32BE(value % 0x1_0000_0000, at + 4);
}

function readOffset(buffer: Buffer, at: number): number {
  const value = buffer.readUInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(value)) throw new NshError('invalidMessage', `an offset of ${value} bytes is out of range`);
  return value;
}

export function encodeJson(type: 'open' | 'opened' | 'exit' | 'error', value: unknown): Buffer {
  const text = JSON.stringify(value);
  const buffer = frameBuffer(frameTypes[type], Buffer.byteLength(text));
  buffer.write(text, headerBytes);
  return buffer;
}

export function encodeExit(status: ExitStatus, unread: Buffer | undefined): Buffer {
  const isEmpty = unread === undefined || unread.length === 0;
  return encodeJson('exit', isEmpty ? status : { ...status, unread: unread.toString('base64') });
}

/** Header of a data frame; the bytes follow it unchanged, so that they need not be copied. */
export function encodeDataHeader(stream: StreamNumber, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(headerBytes + 9);
  buffer[0] = frameTypes.data;
  buffer.writeUInt32BE(9 + length, 1);
  buffer[5] = stream;
  writeOffset(buffer, offset, 6);
  return buffer;
}

export function encodeOffset(type: 'ack' | 'eof', stream: StreamNumber, offset: number): Buffer {
  const buffer = frameBuffer(frameTypes[type], 9);
  buffer[5] = stream;
  writeOffset(buffer, offset, 6);
  return buffer;
}

export function encodeResize(cols: number, rows: number): Buffer {
  const buffer = frameBuffer(frameTypes.resize, 4);
  buffer.writeUInt16BE(cols, 5);
  buffer.writeUInt16BE(rows, 7);
  return buffer;
}

export function encodeGap(stream: StreamNumber, from: number, to: number): Buffer {
  const buffer = frameBuffer(frameTypes.gap, 17);
  buffer[5] = stream;
  writeOffset(buffer, from, 6);
  writeOffset(buffer, to, 14);
  return buffer;
}

export function encodeSignal(signal: number, foreground: boolean): Buffer {
  const buffer = frameBuffer(frameTypes.signal, 2);
  buffer[5] = signal;
  buffer[6] = foreground ? 1 : 0;
  return buffer;
}

export function encodeDetach(final: boolean): Buffer {
  const buffer = frameBuffer(frameTypes.detach, 1);
  buffer[5] = final ? 1 : 0;
  return buffer;
}

/** Header of a frame, and for data frames the stream and offset that come before its bytes. */
const dataHeadBytes = headerBytes + 9;

/**
 * Cuts a byte stream into frames. A data frame that comes in pieces is handed on in pieces, each with the offset of its first
 * byte, so that nothing is gathered or copied; every other frame is small and comes whole. `data` bytes are views of what was
 * pushed: use or copy them before that memory is written to again.
 * @throws NshError `invalidMessage` or `tooLarge`, after which the stream has no known boundary and must be closed.
 */
export class FrameDecoder {
  /** Beginning of a frame that was cut before it could be understood, in a buffer with room for what is missing. */
  #partial: Buffer | undefined;
  #partialBytes = 0;
  /** What is still to come of the data frame that is being handed on. */
  #dataLeft = 0;
  #dataStream: StreamNumber = 0;
  #dataOffset = 0;

  /** Frames that `chunk` completes or continues, in order. Take them all: the rest of a chunk is lost with the iterator. */
  *push(chunk: Buffer): Generator<Frame, void, void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#dataLeft > 0) {
        const end = Math.min(chunk.length, at + this.#dataLeft);
        const bytes = chunk.subarray(at, end);
        const offset = this.#dataOffset;
        at = end;
        this.#dataOffset += bytes.length;
        this.#dataLeft -= bytes.length;
        yield { type: 'data', stream: this.#dataStream, offset, bytes };
        continue;
      }
      const available = chunk.length - at;
      const length = this.#partial === undefined && available >= headerBytes ? headBytes(chunk, at) : Infinity;
      if (available >= length) {
        const frame = this.#takeHead(chunk.subarray(at, at + length));
        at += length;
        if (frame !== undefined) yield frame;
        continue;
      }
      at = this.#gather(chunk, at);
      const whole = this.#gathered();
      if (whole === undefined) continue;
      const frame = this.#takeHead(whole);
      if (frame !== undefined) yield frame;
    }
  }

  /** Bytes of a frame that has not come whole: more than 0 at the end of a stream means that it was cut. */
  get pendingBytes(): number {
    return this.#partialBytes + this.#dataLeft;
  }

  /** Copies what the frame begun still needs; returns the position after it. */
  #gather(chunk: Buffer, at: number): number {
    this.#partial ??= Buffer.allocUnsafe(headerBytes);
    const end = Math.min(chunk.length, at + this.#partial.length - this.#partialBytes);
    chunk.copy(this.#partial, this.#partialBytes, at, end);
    this.#partialBytes += end - at;
    return end;
  }

  /** The gathered head where it is whole; else, once the header tells how long it is, makes room for the rest. */
  #gathered(): Buffer | undefined {
    const partial = this.#partial;
    if (partial === undefined || this.#partialBytes < partial.length) return undefined;
    const length = headBytes(partial, 0);
    if (length > partial.length) {
      this.#partial = Buffer.allocUnsafe(length);
      partial.copy(this.#partial);
      return undefined;
    }
    this.#partial = undefined;
    this.#partialBytes = 0;
    return partial;
  }

  /** A whole frame; undefined for the head of a data frame whose bytes follow. */
  #takeHead(head: Buffer): Frame | undefined {
    const type = head[0] ?? 0;
    if (type !== frameTypes.data) return decodePayload(type, head.subarray(headerBytes));
    const stream = streamNumber(head[headerBytes]);
    const offset = readOffset(head, headerBytes + 1);
    this.#dataLeft = head.readUInt32BE(1) - 9;
    this.#dataStream = stream;
    this.#dataOffset = offset;
    return this.#dataLeft === 0 ? { type: 'data', stream, offset, bytes: Buffer.alloc(0) } : undefined;
  }
}

/** Bytes that must be there before the frame whose header begins at `at` can be understood. */
function headBytes(buffer: Buffer, at: number): number {
  const type = buffer[at] ?? 0;
  const length = buffer.readUInt32BE(at + 1);
  checkLength(type, length);
  return type === frameTypes.data ? dataHeadBytes : headerBytes + length;
}

function checkLength(type: number, length: number): void {
  const fixed = fixedLengths[type];
  if (fixed !== undefined) {
    if (length !== fixed)
      throw new NshError('invalidMessage', `a frame of type ${type} has ${length} bytes instead of ${fixed}`);
    return;
  }
  const limit = jsonTypes.has(type) ? maxHeadFrameBytes : type === frameTypes.data ? maxFrameBytes + 9 : -1;
  if (limit === -1) throw new NshError('invalidMessage', `no frame has the type ${type}`);
  if (length > limit) throw new NshError('tooLarge', `a frame of ${length} bytes is over the limit of ${limit}`);
  if (type === frameTypes.data && length < 9)
    throw new NshError('invalidMessage', `a data frame of ${length} bytes has no offset`);
}

function streamNumber(value: number | undefined): StreamNumber {
  if (value === 0 || value === 1 || value === 2 || value === 3) return value;
  throw new NshError('invalidMessage', `no stream has the number ${value}`);
}

function decodePayload(type: number, payload: Buffer): Frame {
  switch (type) {
    case frameTypes.ack:
      return { type: 'ack', stream: streamNumber(payload[0]), offset: readOffset(payload, 1) };
    case frameTypes.eof:
      return { type: 'eof', stream: streamNumber(payload[0]), offset: readOffset(payload, 1) };
    case frameTypes.resize:
      return { type: 'resize', cols: payload.readUInt16BE(0), rows: payload.readUInt16BE(2) };
    case frameTypes.gap:
      return {
        type: 'gap',
        stream: streamNumber(payload[0]),
        from: readOffset(payload, 1),
        to: readOffset(payload, 9),
      };
    case frameTypes.signal:
      return { type: 'signal', signal: payload[0] ?? 0, foreground: payload[1] === 1 };
    case frameTypes.detach:
      return { type: 'detach', final: payload[0] === 1 };
    case frameTypes.open:
      return { type: 'open', json: parseJson(payload) };
    case frameTypes.opened:
      return { type: 'opened', json: parseJson(payload) };
    case frameTypes.exit:
      return { type: 'exit', json: parseJson(payload) };
    case frameTypes.error:
      return { type: 'error', json: parseJson(payload) };
    default:
      throw new NshError('invalidMessage', `no frame has the type ${type}`);
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8')) as unknown;
  } catch (error) {
    throw new NshError('parseError', 'a frame that must be JSON is not', { cause: error });
  }
}
