/**
 * The server side of the stream protocol (src/protocol/frames.ts) on one connection: `open`, then output, input, acks, sizes and signals
 * until one side leaves. A frame that lies, or comes where it may not, is answered with an error frame and ends this connection alone.
 */
import type { Socket } from 'node:net';
import {
  encodeDataHeader,
  encodeExit,
  encodeGap,
  encodeJson,
  encodeOffset,
  encodeResize,
  FrameDecoder,
  openFrame,
  streamNumbers,
  type Frame,
  type OpenFrame,
  type StreamNumber,
} from '../../src/protocol/frames.ts';
import { NshError, toNshError, toWireError } from '../../src/protocol/errors.ts';
import { check } from '../../src/rpc/typed.ts';
import { ClientOutput } from './client-output.ts';
import type { InputListener } from './input-queue.ts';
import type { ProcessClient } from './live-process.ts';
import type { CursorOutput } from './output-cursor.ts';
import type { Piece } from './output-view.ts';
import type { StreamTarget } from './stream-target.ts';

/** What may lie in the socket's own queue before we wait for it to drain. */
const maxQueuedBytes = 512 * 1024;
/** Input is acked when so much of it was taken, and at its end. */
const ackBytes = 16 * 1024;

export class StreamConnection implements CursorOutput, InputListener, ProcessClient {
  readonly #socket: Socket;
  readonly #findTarget: (open: OpenFrame) => StreamTarget;
  readonly #decoder = new FrameDecoder();
  #open: OpenFrame | undefined;
  #target: StreamTarget | undefined;
  #output: ClientOutput | undefined;
  #inputTaken = 0;
  #inputAcked = 0;
  #inputEof: number | undefined;
  /** How the client leaves; undefined while it has not said so. */
  #farewell: 'keep' | 'final' | undefined;
  #isOver = false;

  /** @param findTarget throws NshError where there is no such process. */
  constructor(socket: Socket, findTarget: (open: OpenFrame) => StreamTarget) {
    this.#socket = socket;
    this.#findTarget = findTarget;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.pump());
    // A lost connection shows as close.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClose());
  }

  get isWritable(): boolean {
    return !this.#isOver && this.#socket.writableLength < maxQueuedBytes;
  }

  sendData(stream: StreamNumber, offset: number, { bytes, slab }: Piece): void {
    slab?.retain();
    this.#socket.cork();
    this.#socket.write(encodeDataHeader(stream, offset, bytes.length));
    // The callback comes with an error too, where the connection is lost.
    if (slab === undefined) this.#socket.write(bytes);
    else this.#socket.write(bytes, () => slab.release());
    this.#socket.uncork();
  }

  sendGap(stream: StreamNumber, from: number, to: number): void {
    this.#socket.write(encodeGap(stream, from, to));
  }

  sendEof(stream: StreamNumber, offset: number): void {
    this.#socket.write(encodeOffset('eof', stream, offset));
  }

  resized(cols: number, rows: number): void {
    if (!this.#isOver) this.#socket.write(encodeResize(cols, rows));
  }

  pump(): void {
    const output = this.#output;
    if (output === undefined || this.#isOver) return;
    output.pump();
    this.#endWhereDone();
  }

  inputTaken(offset: number): void {
    this.#inputTaken = offset;
    if (this.#isOver || (offset - this.#inputAcked < ackBytes && offset !== this.#inputEof)) return;
    this.#ackInput();
  }

  #ackInput(): void {
    this.#inputAcked = this.#inputTaken;
    this.#socket.write(encodeOffset('ack', 0, this.#inputAcked));
  }

  inputClosed(offset: number): void {
    if (!this.#isOver) this.#socket.write(encodeOffset('eof', 0, offset));
  }

  /** Another connection of the same client has taken over, or the shim is going. */
  close(error: NshError): void {
    this.#fail(error);
  }

  #endWhereDone(): void {
    if (this.#output?.isDone !== true || this.#isOver) return;
    const exit = this.#target?.finalExit;
    if (exit === undefined && this.#open?.follow !== false) return;
    this.#isOver = true;
    const left = this.#target?.report;
    const report = left?.bytes;
    if (exit !== undefined && report !== undefined) {
      this.#socket.write(encodeDataHeader(streamNumbers.report, 0, report.length));
      this.#socket.write(report);
    }
    // To the byte: what the process did not get may be somebody else's.
    if (exit !== undefined && this.#inputTaken > this.#inputAcked) this.#ackInput();
    if (exit !== undefined) this.#socket.write(encodeExit(exit, left?.unread));
    // The client may still ack; it is the one to close.
    this.#socket.end();
  }

  #onData(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#onFrame(frame);
    } catch (error) {
      this.#fail(toNshError(error));
    }
  }

  #onFrame(frame: Frame): void {
    if (frame.type === 'open') {
      this.#onOpen(frame.json);
      return;
    }
    const target = this.#target;
    const open = this.#open;
    if (target === undefined || open === undefined) {
      throw new NshError('invalidMessage', `the first frame must be open, not ${frame.type}`);
    }
    switch (frame.type) {
      case 'ack':
        this.#onAck(target, frame.stream, frame.offset);
        return;
      case 'data':
        this.#requireWriter(open, 'data');
        if (frame.stream !== 0) throw new NshError('invalidMessage', `stream ${frame.stream} is not for input`);
        if (this.#inputEof !== undefined) throw new NshError('invalidMessage', 'input came after its end');
        target.input?.push(open.client, frame.offset, frame.bytes);
        return;
      case 'eof':
        this.#requireWriter(open, 'eof');
        if (frame.stream !== 0) throw new NshError('invalidMessage', `stream ${frame.stream} is not for input`);
        this.#inputEof = frame.offset;
        target.input?.end(open.client, frame.offset);
        return;
      case 'resize':
        this.#requireWriter(open, 'resize');
        target.resize(frame.cols, frame.rows, this);
        return;
      case 'signal':
        this.#requireWriter(open, 'signal');
        target.signal(frame.signal, frame.foreground);
        return;
      case 'detach':
        this.#farewell = frame.final ? 'final' : 'keep';
        this.#isOver = true;
        this.#leave();
        this.#socket.end();
        return;
      case 'opened':
      case 'exit':
      case 'error':
      case 'gap':
        throw new NshError('invalidMessage', `a client does not send ${frame.type} frames`);
    }
  }

  #onOpen(json: unknown): void {
    if (this.#open !== undefined) throw new NshError('invalidMessage', 'a stream is opened once');
    const open = check(openFrame, json, 'open', 'invalidMessage');
    const target = this.#findTarget(open);
    this.#open = open;
    this.#target = target;
    const { opened, views, order } = target.attach(open, this, this);
    this.#inputAcked = opened.stdin.offset;
    this.#socket.write(encodeJson('opened', opened));
    this.#output = new ClientOutput({
      views,
      from: open.from,
      window: open.window,
      output: this,
      skipsAhead: open.role === 'attach' && open.skips !== false,
      stopsAtEnd: open.role === 'read' && open.follow === false,
      order: open.role === 'read' ? order() : undefined,
      onProgress: () => {
        this.#target?.progressed();
        this.#endWhereDone();
      },
    });
    target.follow(this.#output.cursors);
    this.pump();
  }

  #onAck(target: StreamTarget, stream: StreamNumber, offset: number): void {
    if (stream === 0) throw new NshError('invalidMessage', 'a client does not ack its own input');
    if (stream !== streamNumbers.report) this.#output?.ack(stream, offset);
    target.acked(stream, offset);
    this.pump();
  }

  #requireWriter(open: OpenFrame, frame: string): void {
    if (open.role === 'read') throw new NshError('notPermitted', `a reader does not send ${frame} frames`);
  }

  #fail(error: NshError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.write(encodeJson('error', toWireError(error)));
    this.#socket.end();
    // What it sends from now on means nothing; it has a second to read why.
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), 1_000).unref();
    this.#leave();
  }

  #onClose(): void {
    this.#isOver = true;
    this.#leave();
  }

  #leave(): void {
    const target = this.#target;
    this.#target = undefined;
    target?.detach(this.#farewell);
  }
}
