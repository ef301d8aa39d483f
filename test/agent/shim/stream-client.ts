/** The client's end of the stream protocol, plain enough to misbehave in every way. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  encodeDataHeader,
  encodeJson,
  encodeOffset,
  FrameDecoder,
  type Frame,
  type OpenedFrame,
  type OpenFrame,
  type StreamNumber,
} from '../../../src/protocol/frames.ts';
import type { ExitStatus, ProcessRef } from '../../../src/protocol/process.ts';
import { waitUntil } from './wait-until.ts';

export interface ClientSetup {
  readonly role?: OpenFrame['role'];
  readonly client?: string;
  readonly from?: OpenFrame['from'];
  readonly window?: number;
  readonly size?: { cols: number; rows: number };
  readonly follow?: boolean;
  readonly behind?: number;
  /** Ack what has come; default true. */
  readonly acks?: boolean;
  /** Keep the bytes; default true. */
  readonly keeps?: boolean;
  readonly onData?: (stream: StreamNumber, bytes: Buffer) => void;
}

let clients = 0;

export class StreamClient {
  readonly socket: Socket;
  readonly client: string;
  readonly frames: Frame['type'][] = [];
  readonly gaps: { stream: StreamNumber; from: number; to: number }[] = [];
  readonly eofs = new Map<StreamNumber, number>();
  readonly sizes: { cols: number; rows: number }[] = [];
  /** Order of arrival: stream and bytes. */
  readonly arrivals: { stream: StreamNumber; text: string }[] = [];
  readonly next = new Map<StreamNumber, number>();
  opened: OpenedFrame | undefined;
  exit: ExitStatus | undefined;
  error: { message: string; data?: { code?: string } } | undefined;
  isClosed = false;
  inputAcked = 0;
  acks: boolean;
  readonly #onData: ClientSetup['onData'];
  readonly #decoder = new FrameDecoder();
  readonly #chunks = new Map<StreamNumber, Buffer[]>();
  readonly #keeps: boolean;

  private constructor(socket: Socket, setup: ClientSetup) {
    this.socket = socket;
    this.client = setup.client ?? `client-${process.pid}-${++clients}`;
    this.acks = setup.acks ?? true;
    this.#keeps = setup.keeps ?? true;
    this.#onData = setup.onData;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#decoder.push(chunk)) this.#onFrame(frame);
    });
  }

  static async connect(path: string, setup: ClientSetup = {}): Promise<StreamClient> {
    const socket = connect({ path });
    await once(socket, 'connect');
    return new StreamClient(socket, setup);
  }

  static async open(path: string, process: ProcessRef, setup: ClientSetup = {}): Promise<StreamClient> {
    const client = await StreamClient.connect(path, setup);
    client.send(
      encodeJson('open', {
        version: 1,
        process,
        client: client.client,
        role: setup.role ?? 'attach',
        from: setup.from ?? { stdout: 0, stderr: 0 },
        window: setup.window ?? 256 * 1024,
        ...(setup.size === undefined ? {} : { size: setup.size }),
        ...(setup.follow === undefined ? {} : { follow: setup.follow }),
        ...(setup.behind === undefined ? {} : { behind: setup.behind }),
      }),
    );
    await waitUntil(() => client.opened !== undefined || client.error !== undefined || client.isClosed, 'opened');
    return client;
  }

  send(...buffers: Buffer[]): void {
    for (const buffer of buffers) this.socket.write(buffer);
  }

  input(offset: number, bytes: Buffer | string): void {
    const data = Buffer.from(bytes);
    this.send(encodeDataHeader(0, offset, data.length), data);
  }

  inputEof(offset: number): void {
    this.send(encodeOffset('eof', 0, offset));
  }

  ackNow(): void {
    for (const [stream, offset] of this.next) this.send(encodeOffset('ack', stream, offset));
  }

  bytes(stream: StreamNumber): Buffer {
    return Buffer.concat(this.#chunks.get(stream) ?? []);
  }

  text(stream: StreamNumber = 1): string {
    return this.bytes(stream).toString('utf8');
  }

  async ended(): Promise<ExitStatus | undefined> {
    await waitUntil(
      () => this.exit !== undefined || this.error !== undefined || this.isClosed,
      'the exit frame',
      60_000,
    );
    return this.exit;
  }

  /** Breaks the connection without a word. */
  drop(): void {
    this.socket.destroy();
  }

  #onFrame(frame: Frame): void {
    this.frames.push(frame.type);
    switch (frame.type) {
      case 'opened':
        this.opened = frame.json as OpenedFrame;
        break;
      case 'data': {
        const expected = this.next.get(frame.stream);
        if (expected !== undefined && expected !== frame.offset)
          throw new Error(`offset ${frame.offset} after ${expected}`);
        this.next.set(frame.stream, frame.offset + frame.bytes.length);
        if (this.#keeps) {
          this.#chunks.set(frame.stream, this.#chunks.get(frame.stream) ?? []);
          this.#chunks.get(frame.stream)?.push(Buffer.from(frame.bytes));
          this.arrivals.push({ stream: frame.stream, text: frame.bytes.toString('latin1') });
        }
        this.#onData?.(frame.stream, frame.bytes);
        if (this.acks) this.send(encodeOffset('ack', frame.stream, frame.offset + frame.bytes.length));
        break;
      }
      case 'gap':
        this.gaps.push({ stream: frame.stream, from: frame.from, to: frame.to });
        this.next.set(frame.stream, frame.to);
        break;
      case 'eof':
        this.eofs.set(frame.stream, frame.offset);
        break;
      case 'ack':
        this.inputAcked = frame.offset;
        break;
      case 'resize':
        this.sizes.push({ cols: frame.cols, rows: frame.rows });
        break;
      case 'exit':
        this.exit = frame.json as ExitStatus;
        break;
      case 'error':
        this.error = frame.json as { message: string; data?: { code?: string } };
        break;
      case 'open':
      case 'signal':
      case 'detach':
        throw new Error(`the shim sent ${frame.type}`);
    }
  }
}
