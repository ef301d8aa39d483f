/**
 * One client's stream to a managed process, over as many connections as it takes: when one is lost the next resumes at the byte
 * offsets reached, so nothing is lost and nothing doubled. Credit is given back as the sinks really take bytes. What the frames
 * mean stands in src/protocol/frames.ts; offsets are decided in output-position.ts and input-queue.ts.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex, Writable } from 'node:stream';
import { fromWireError, NshError, toNshError, type WireError } from '../../protocol/errors.ts';
import {
  encodeDetach,
  encodeJson,
  encodeOffset,
  encodeResize,
  encodeSignal,
  exitFrame,
  openedFrame,
  streamNumbers,
  type Frame,
  type OpenedFrame,
  type OpenFrame,
} from '../../protocol/frames.ts';
import { defaultDeadlineMs, maxChannelBytes, pipeWindowBytes } from '../../protocol/limits.ts';
import { streamVersion } from '../../protocol/version.ts';
import { check } from '../../rpc/typed.ts';
import { deferred } from './deferred.ts';
import { FrameConnection } from './frame-connection.ts';
import { InputSide } from './input-side.ts';
import { OutputSide } from './output-side.ts';
import { mayPass, retryDelayMs } from './retry.ts';
import { Shortcut } from './shortcut.ts';
import type { ProcessStream, ProcessStreamOptions, StreamEnd, TerminalSize } from './types.ts';

const defaultRetryForMs = 60_000;
/** A dial may log in anew and ask a person; the agent bounds the steps of it more tightly. */
const dialDeadlineMs = 60_000;
/** A connection that lived so long, or brought bytes, was a good one: after it the first retry is immediate again. */
const goodAfterMs = 1_000;
/** A signal frame has no ack: so long after one the connection that took it is not left. */
const signalSettledMs = 2_000;
/** Why a connection is left for a better one. */
const moved = new NshError('cancelled', 'the stream moves to another connection');
/** One for all: a stack costs more than most of what a short stream does, and nobody reads it. */
const over = new NshError('cancelled', 'the stream is over');
const neverOpened = new NshError('cancelled', 'the stream ended before it was open');

/** A random client id, to be given to `run` and to the foreground stream that follows. */
export function newClientId(): string {
  return randomBytes(12).toString('hex');
}

/** @returns at once; `opened` and `ended` tell what became of it. */
export function openProcessStream(options: ProcessStreamOptions): ProcessStream {
  const stream = new ResumableStream(options);
  stream.start();
  return stream;
}

class ResumableStream implements ProcessStream {
  readonly #options: ProcessStreamOptions;
  readonly #client: string;
  readonly #windowBytes: number;
  readonly #input = new InputSide();
  readonly #outputs: OutputSide;
  readonly #abort = new AbortController();
  readonly #opened = deferred<OpenedFrame>();
  readonly #ended = deferred<StreamEnd>();
  /** The present connection; `#isOpen` once the shim has answered `opened` on it. */
  #connection: FrameConnection | undefined;
  #isOpen = false;
  #silence: NodeJS.Timeout | undefined;
  #onLost: ((error: NshError) => void) | undefined;
  #everOpened = false;
  /** Everything has been said: a connection that closes now is not a loss. */
  #complete = false;
  #isOver = false;
  #size: TerminalSize | undefined;
  /** The size that the present connection was opened with. */
  #openSize: TerminalSize | undefined;
  #unsentSignals: Buffer[] = [];
  #lastSignalMs = -Infinity;
  readonly #shortcut: Shortcut;
  /** The connection that the stream is moving to. */
  #next: Duplex | undefined;
  /** Between two connections by its own will, of which nobody need hear. */
  #isMoving = false;
  #inputAckedBytes = 0;
  #report: Buffer[] = [];

  constructor(options: ProcessStreamOptions) {
    this.#options = options;
    this.#client = options.client ?? newClientId();
    this.#windowBytes = options.windowBytes ?? pipeWindowBytes;
    this.#size = options.size;
    this.#shortcut = new Shortcut(options.shortcut, (socket) => this.#moveTo(socket));
    this.#outputs = new OutputSide(options, this.#windowBytes, {
      onGap: options.onGap,
      onSinkError: (stream, error) => {
        this.#sayGoodbye(true);
        this.#settle({ kind: 'outputClosed', stream, error });
      },
      onError: (error) => this.#fail(toNshError(error)),
    });
  }

  get stdin(): Writable {
    return this.#input.writable;
  }
  get opened(): Promise<OpenedFrame> {
    return this.#opened.promise;
  }
  get ended(): Promise<StreamEnd> {
    return this.#ended.promise;
  }
  get untaken(): Buffer {
    return this.#input.untaken;
  }

  get connected(): boolean {
    return this.#isOpen || this.#isMoving;
  }

  start(): void {
    const { signal } = this.#options;
    const cancel = (): void => this.#fail(new NshError('cancelled', 'the stream was broken off'));
    if (signal?.aborted === true) return cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    this.#abort.signal.addEventListener('abort', () => signal?.removeEventListener('abort', cancel), { once: true });
    this.#connectUntilOver().catch((error: unknown) => this.#fail(toNshError(error)));
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    if (this.#isOpen) this.#connection?.send(encodeResize(size.cols, size.rows));
  }

  sendSignal(signal: number, foreground: boolean): void {
    const frame = encodeSignal(signal, foreground);
    this.#lastSignalMs = performance.now();
    if (this.#isOpen) this.#connection?.send(frame);
    else this.#unsentSignals.push(frame);
  }

  detach(final: boolean): void {
    if (this.#isOver) return;
    this.#sayGoodbye(final);
    this.#settle({ kind: 'detached' });
  }

  async #connectUntilOver(): Promise<void> {
    const retryForMs = this.#options.retryForMs ?? defaultRetryForMs;
    let deadline = performance.now() + retryForMs;
    let attempt = 0;
    while (!this.#isOver) {
      const began = performance.now();
      const receivedBefore = this.#outputs.receivedBytes;
      const failure = await this.#connectOnce();
      if (this.#isOver) return;
      if (failure === moved) continue;
      if (!mayPass(failure)) return this.#fail(failure);
      const now = performance.now();
      if (this.#everOpened && (now - began > goodAfterMs || this.#outputs.receivedBytes > receivedBefore)) {
        attempt = 0;
        deadline = now + retryForMs;
      }
      const waitMs = retryDelayMs(attempt, Math.random);
      if (now + waitMs >= deadline) return this.#fail(failure);
      this.#options.onLost?.(failure, attempt);
      attempt++;
      await this.#pause(waitMs);
    }
  }

  /** Dials, opens and stays. Resolves with the reason when the connection is lost; also when the stream is over. */
  async #connectOnce(): Promise<NshError> {
    const dial = new AbortController();
    const tooLate = (): void =>
      dial.abort(new NshError('timeout', `no connection to the process within ${dialDeadlineMs / 1000} s`));
    const timer = setTimeout(tooLate, dialDeadlineMs);
    const stop = (): void => dial.abort(this.#abort.signal.reason);
    this.#abort.signal.addEventListener('abort', stop, { once: true });
    try {
      const socket = this.#takeNext() ?? (await this.#options.dial(dial.signal));
      clearTimeout(timer);
      if (!this.#isOver) return await this.#serve(socket);
      socket.destroy();
      return over;
    } catch (error) {
      return toNshError(error, 'linkLost');
    } finally {
      clearTimeout(timer);
      this.#abort.signal.removeEventListener('abort', stop);
    }
  }

  get #carriedBytes(): number {
    return this.#outputs.receivedBytes + this.#inputAckedBytes;
  }

  #takeNext(): Duplex | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  /** The shim sends again what the connection that is left has not brought, and takes what it has not passed on. */
  #moveTo(socket: Duplex): void {
    const settledInMs = this.#lastSignalMs + signalSettledMs - performance.now();
    if (!this.#isOpen || this.#complete || socket.destroyed) {
      socket.destroy();
    } else if (settledInMs > 0) {
      const timer = setTimeout(() => this.#moveTo(socket), settledInMs);
      this.#abort.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    } else {
      this.#next = socket;
      this.#drop(moved);
      this.#isMoving = true;
    }
  }

  #serve(socket: Duplex): Promise<NshError> {
    return new Promise((resolve) => {
      const connection: FrameConnection = new FrameConnection(socket, {
        onFrame: (frame) => this.#frame(connection, frame),
        onDrain: () => this.#input.drained(),
        onClose: (error) => this.#closed(connection, error),
      });
      this.#connection = connection;
      this.#onLost = resolve;
      const isSilent = (): void => this.#drop(new NshError('timeout', 'the shim did not answer'));
      this.#silence = setTimeout(isSilent, defaultDeadlineMs);
      connection.send(encodeJson('open', this.#openFrame()));
    });
  }

  #openFrame(): OpenFrame {
    const { process, role, follow, skips, behind } = this.#options;
    this.#openSize = this.#size;
    return {
      version: streamVersion,
      process,
      client: this.#client,
      role,
      from: this.#outputs.from,
      window: this.#windowBytes,
      ...(this.#size === undefined ? {} : { size: this.#size }),
      ...(follow === undefined ? {} : { follow }),
      ...(skips === undefined ? {} : { skips }),
      ...(behind === undefined ? {} : { behind }),
    };
  }

  #frame(connection: FrameConnection, frame: Frame): void {
    if (frame.type === 'error') return this.#refused(frame.json);
    if (frame.type === 'opened')
      return this.#welcome(connection, check(openedFrame, frame.json, 'opened', 'invalidMessage'));
    if (!this.#isOpen) throw new NshError('invalidMessage', `the shim sent ${frame.type} before it opened the stream`);
    switch (frame.type) {
      case 'data':
        if (frame.stream === streamNumbers.report) return this.#addReport(frame.offset, frame.bytes);
        this.#outputs.data(connection, frame.stream, frame.offset, frame.bytes);
        return this.#shortcut.carried(this.#carriedBytes);
      case 'ack':
        this.#input.acked(frame.offset);
        this.#inputAckedBytes = frame.offset;
        return this.#shortcut.carried(this.#carriedBytes);
      case 'eof':
        if (frame.stream !== streamNumbers.stdin) return this.#outputs.eof(connection, frame.stream, frame.offset);
        this.#input.discard();
        return this.#options.onInputClosed?.();
      case 'gap':
        return this.#outputs.gap(connection, frame.stream, frame.from, frame.to);
      case 'resize':
        return this.#options.onResize?.({ cols: frame.cols, rows: frame.rows });
      case 'exit': {
        const { unread = '', ...status } = check(exitFrame, frame.json, 'exit', 'invalidMessage');
        const report = this.#report.length > 0 ? { report: Buffer.concat(this.#report) } : {};
        if (report.report !== undefined)
          connection.send(encodeOffset('ack', streamNumbers.report, report.report.length));
        return this.#finishWith(connection, { kind: 'exit', status, unread: Buffer.from(unread, 'base64'), ...report });
      }
      case 'open':
      case 'signal':
      case 'detach':
        throw new NshError('invalidMessage', `the shim sent ${frame.type}, which only clients send`);
    }
  }

  /** Once more from its beginning on each connection. */
  #addReport(offset: number, bytes: Buffer): void {
    if (offset === 0) this.#report = [];
    if (offset + bytes.length > maxChannelBytes)
      throw new NshError('tooLarge', 'the report of the process is too long');
    this.#report.push(Buffer.from(bytes));
  }

  #welcome(connection: FrameConnection, opened: OpenedFrame): void {
    if (this.#isOpen) throw new NshError('invalidMessage', 'the shim opened the stream twice');
    clearTimeout(this.#silence);
    const again = this.#everOpened;
    this.#isOpen = true;
    this.#everOpened = true;
    this.#outputs.opened(connection, opened);
    if (this.#options.role !== 'read') this.#input.opened(connection, opened.stdin);
    const size = this.#size;
    if (size !== undefined && size !== this.#openSize) connection.send(encodeResize(size.cols, size.rows));
    for (const frame of this.#unsentSignals.splice(0)) connection.send(frame);
    this.#opened.resolve(opened);
    const hasMoved = this.#isMoving;
    this.#isMoving = false;
    if (hasMoved) return;
    this.#shortcut.arm(opened.io === 'pty', this.#carriedBytes);
    this.#options.onOpened?.(opened, again);
  }

  #refused(json: unknown): void {
    const error = fromWireError(json as WireError);
    if (mayPass(error)) this.#drop(error);
    else this.#fail(error);
  }

  #closed(connection: FrameConnection, error: NshError | undefined): void {
    if (this.#complete) return;
    const { role, follow } = this.#options;
    if (error === undefined && role === 'read' && follow === false && this.#isOpen)
      return this.#finishWith(connection, { kind: 'outputEnd' });
    this.#drop(error ?? new NshError('linkLost', 'the connection to the process was closed'));
  }

  /** Nothing more will come: once the sinks have taken everything, that is the end. */
  #finishWith(connection: FrameConnection, end: StreamEnd): void {
    this.#complete = true;
    this.#input.discard();
    this.#outputs.whenAllTaken(connection, () => {
      this.#outputs.ackNow();
      connection.finish();
      this.#settle(end);
    });
  }

  #sayGoodbye(final: boolean): void {
    if (!this.#isOpen) return;
    this.#outputs.ackNow();
    this.#connection?.send(encodeDetach(final));
    this.#connection?.finish();
    this.#connection = undefined;
  }

  /** The present connection is of no use any more. */
  #drop(reason: NshError): void {
    clearTimeout(this.#silence);
    this.#shortcut.disarm();
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#isOpen = false;
    this.#isMoving = false;
    this.#input.lost();
    this.#outputs.lost();
    this.#onLost?.(reason);
  }

  #settle(end: StreamEnd): void {
    if (this.#isOver) return;
    this.#ended.resolve(end);
    this.#opened.reject(neverOpened);
    this.#stop();
  }

  #fail(error: NshError): void {
    if (this.#isOver) return;
    this.#opened.reject(error);
    this.#ended.reject(error);
    this.#stop();
  }

  #stop(): void {
    this.#isOver = true;
    this.#next?.destroy();
    this.#input.discard();
    this.#outputs.close();
    this.#abort.abort(over);
    this.#drop(over);
  }

  #pause(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const { signal } = this.#abort;
      const stop = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const timer = setTimeout(stop, ms);
      signal.addEventListener('abort', stop);
    });
  }
}
