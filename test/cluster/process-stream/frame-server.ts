/** A shim in miniature, for the client's tests: one process whose outputs stand in memory, served with credit and offsets. */
import type { Duplex } from 'node:stream';
import {
  encodeDataHeader,
  encodeGap,
  encodeJson,
  encodeOffset,
  FrameDecoder,
  type Frame,
  type OpenFrame,
} from '../../../src/protocol/frames.ts';
import { toWireError } from '../../../src/protocol/errors.ts';

export interface ServedProcess {
  /** All output so far; `append` adds to it. */
  stdout: Buffer;
  stderr: Buffer | undefined;
  stdoutBase?: number;
  /** Set: the outputs are complete, and this is how it ended. */
  exit?: { code: number | null; signal: string | null; atMs: number };
  io?: 'pty' | 'pipes';
}

export class FrameServer {
  readonly process: ServedProcess;
  /** Input in order of offsets, as the process would read it. */
  input = Buffer.alloc(0);
  inputEnded = false;
  readonly opens: OpenFrame[] = [];
  readonly resizes: string[] = [];
  readonly signals: string[] = [];
  readonly detaches: boolean[] = [];
  readonly acks: number[] = [];
  frameBytes = 64 * 1024;
  stdinWindow = 64 * 1024;
  greatestInFlight = 0;
  readonly #connections = new Set<Served>();

  constructor(process: ServedProcess) {
    this.process = process;
  }

  serve(socket: Duplex): void {
    const served = new Served(this, socket);
    this.#connections.add(served);
    socket.on('close', () => this.#connections.delete(served));
  }

  append(bytes: Buffer): void {
    this.process.stdout = Buffer.concat([this.process.stdout, bytes]);
    this.pump();
  }

  pump(): void {
    for (const served of this.#connections) served.pump();
  }

  /** Says to every client that bytes are missing. */
  gap(from: number, to: number): void {
    for (const served of this.#connections) served.gap(from, to);
  }

  takeInput(offset: number, bytes: Buffer): number {
    const fresh = bytes.subarray(Math.min(bytes.length, this.input.length - offset));
    if (offset > this.input.length) throw new Error(`input is missing before ${offset}`);
    this.input = Buffer.concat([this.input, fresh]);
    return this.input.length;
  }
}

class Served {
  readonly #server: FrameServer;
  readonly #socket: Duplex;
  readonly #decoder = new FrameDecoder();
  readonly #sent = [0, 0, 0];
  readonly #acked = [0, 0, 0];
  readonly #eof = [false, false, false];
  #window = 0;
  #open: OpenFrame | undefined;
  #done = false;

  constructor(server: FrameServer, socket: Duplex) {
    this.#server = server;
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#decoder.push(chunk)) this.#frame(frame);
    });
    socket.on('drain', () => this.pump());
    socket.on('error', () => {
      // The cut that the test made.
    });
    socket.on('end', () => socket.end());
  }

  gap(from: number, to: number): void {
    this.#sent[1] = to;
    this.#acked[1] = to;
    this.#socket.write(encodeGap(1, from, to));
  }

  pump(): void {
    if (this.#open === undefined || this.#done) return;
    const { process } = this.#server;
    this.#pumpOne(1, process.stdout);
    if (process.stderr !== undefined) this.#pumpOne(2, process.stderr);
    const over = this.#eof[1] === true && (process.stderr === undefined || this.#eof[2] === true);
    if (process.exit !== undefined && over) {
      this.#done = true;
      this.#socket.write(encodeJson('exit', process.exit));
    } else if (this.#open.follow === false && this.#sent[1] === process.stdout.length) {
      this.#done = true;
      this.#socket.end();
    }
  }

  #pumpOne(stream: 1 | 2, bytes: Buffer): void {
    let sent = this.#sent[stream] ?? 0;
    while (sent < bytes.length) {
      const room = (this.#acked[stream] ?? 0) + this.#window - sent;
      const end = Math.min(bytes.length, sent + Math.min(room, this.#server.frameBytes));
      if (end <= sent || this.#socket.writableNeedDrain || this.#socket.destroyed) return;
      this.#socket.write(encodeDataHeader(stream, sent, end - sent));
      this.#socket.write(bytes.subarray(sent, end));
      sent = end;
      this.#sent[stream] = sent;
      this.#server.greatestInFlight = Math.max(this.#server.greatestInFlight, sent - (this.#acked[stream] ?? 0));
    }
    if (this.#server.process.exit === undefined || this.#eof[stream] === true) return;
    this.#eof[stream] = true;
    this.#socket.write(encodeOffset('eof', stream, bytes.length));
  }

  #frame(frame: Frame): void {
    const server = this.#server;
    switch (frame.type) {
      case 'open':
        return this.#welcome(frame.json as OpenFrame);
      case 'ack':
        server.acks.push(frame.offset);
        this.#acked[frame.stream] = Math.max(this.#acked[frame.stream] ?? 0, frame.offset);
        return this.pump();
      case 'data': {
        const taken = server.takeInput(frame.offset, frame.bytes);
        this.#socket.write(encodeOffset('ack', 0, taken));
        return;
      }
      case 'eof':
        server.inputEnded = true;
        return;
      case 'resize':
        server.resizes.push(`${frame.cols}x${frame.rows}`);
        return;
      case 'signal':
        server.signals.push(`${frame.signal}${frame.foreground ? ' foreground' : ''}`);
        return;
      case 'detach':
        server.detaches.push(frame.final);
        return;
      case 'opened':
      case 'exit':
      case 'gap':
      case 'error':
        this.#socket.end(encodeJson('error', toWireError(new Error(`unexpected ${frame.type}`))));
    }
  }

  #welcome(open: OpenFrame): void {
    const { process } = this.#server;
    this.#server.opens.push(open);
    this.#open = open;
    this.#window = open.window;
    const base = process.stdoutBase ?? 0;
    const start = (from: number | string | undefined, bytes: Buffer): number =>
      typeof from === 'number' ? Math.max(from, base) : from === 'newest' ? bytes.length : base;
    this.#sent[1] = this.#acked[1] = start(open.from.stdout, process.stdout);
    if (process.stderr !== undefined) this.#sent[2] = this.#acked[2] = start(open.from.stderr, process.stderr);
    const kept = (bytes: Buffer): object => ({ base, end: bytes.length, closed: process.exit !== undefined });
    this.#socket.write(
      encodeJson('opened', {
        version: 1,
        io: process.io ?? (process.stderr === undefined ? 'pty' : 'pipes'),
        stdout: kept(process.stdout),
        ...(process.stderr === undefined ? {} : { stderr: kept(process.stderr) }),
        stdin: { offset: this.#server.input.length, window: this.#server.stdinWindow },
      }),
    );
    if (typeof open.from.stdout === 'number' && open.from.stdout < base)
      this.#socket.write(encodeGap(1, open.from.stdout, base));
    this.pump();
  }
}
