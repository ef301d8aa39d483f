/**
 * The outputs of one process at one client: hands new bytes to the sinks in order, gives credit as they are taken, and knows when
 * everything was.
 */
import { NshError } from '../../protocol/errors.ts';
import {
  encodeOffset,
  streamNumbers,
  type OpenedFrame,
  type OpenFrame,
  type StreamNumber,
} from '../../protocol/frames.ts';
import type { FrameConnection } from './frame-connection.ts';
import { OutputPosition } from './output-position.ts';
import { SerialGate } from './serial-gate.ts';
import { discardSink, type OutputSink } from './sink.ts';
import type { OutputGap, OutputName, ProcessStreamOptions } from './types.ts';

interface Output {
  readonly name: OutputName;
  readonly number: StreamNumber;
  readonly position: OutputPosition;
  readonly sink: OutputSink;
  sinkEnded: boolean;
}

export interface OutputSideEvents {
  readonly onGap: ProcessStreamOptions['onGap'];
  readonly onSinkError: (stream: OutputName, error: Error) => void;
  /** A step that was held back has failed. */
  readonly onError: (error: unknown) => void;
}

export class OutputSide {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #events: OutputSideEvents;
  readonly #gate: SerialGate;
  #connection: FrameConnection | undefined;
  /** Writes and ends that a sink has not yet reported as done. */
  #untaken = 0;
  #whenTaken: (() => void) | undefined;
  #closed = false;

  constructor(options: ProcessStreamOptions, windowBytes: number, events: OutputSideEvents) {
    const from = options.from ?? { stdout: 0, stderr: 0 };
    this.#stdout = {
      name: 'stdout',
      number: streamNumbers.stdout,
      position: new OutputPosition(from.stdout, windowBytes),
      sink: options.stdout ?? discardSink,
      sinkEnded: false,
    };
    this.#stderr = {
      name: 'stderr',
      number: streamNumbers.stderr,
      position: new OutputPosition(from.stderr ?? from.stdout, windowBytes),
      sink: options.stderr ?? discardSink,
      sinkEnded: false,
    };
    this.#events = events;
    this.#gate = new SerialGate(events.onError);
  }

  /** For the open frame: what has come already is not asked for again. */
  get from(): OpenFrame['from'] {
    return { stdout: this.#stdout.position.from, stderr: this.#stderr.position.from };
  }

  /** Bytes that have come, to see whether a connection brought anything. */
  get receivedBytes(): number {
    return (this.#stdout.position.received ?? 0) + (this.#stderr.position.received ?? 0);
  }

  opened(connection: FrameConnection, opened: OpenedFrame): void {
    this.#connection = connection;
    this.#step(connection, () => {
      this.#stdout.position.opened(opened.stdout);
      if (opened.stderr === undefined) this.#finish(this.#stderr);
      else this.#stderr.position.opened(opened.stderr);
    });
  }

  lost(): void {
    this.#connection = undefined;
  }

  data(connection: FrameConnection, stream: StreamNumber, offset: number, bytes: Buffer): void {
    this.#step(connection, () => {
      const output = this.#output(stream);
      const fresh = output.position.accept(offset, bytes);
      if (fresh.length === 0) return;
      const end = offset + bytes.length;
      this.#untaken++;
      output.sink.write(fresh, (error) => this.#took(output, end, error));
    });
  }

  eof(connection: FrameConnection, stream: StreamNumber, offset: number): void {
    this.#step(connection, () => {
      const output = this.#output(stream);
      output.position.end(offset);
      this.#finish(output);
    });
  }

  gap(connection: FrameConnection, stream: StreamNumber, from: number, to: number): void {
    this.#step(connection, () => {
      const output = this.#output(stream);
      const gap: OutputGap = { stream: output.name, from: output.position.received ?? from, to };
      output.position.skip(to);
      const redrawn = this.#events.onGap?.(gap);
      if (redrawn === undefined) return undefined;
      return redrawn.then((offset) => {
        if (offset !== undefined) output.position.skip(offset);
      });
    });
  }

  /** Calls back, after everything that came before, once the sinks have taken it all. */
  whenAllTaken(connection: FrameConnection, done: () => void): void {
    this.#step(connection, () => {
      this.#finish(this.#stdout);
      this.#finish(this.#stderr);
      this.#whenTaken = done;
      this.#checkTaken();
    });
  }

  get allEnded(): boolean {
    return this.#stdout.position.ended && this.#stderr.position.ended;
  }

  /** Sends the acks that are still due. */
  ackNow(): void {
    for (const output of [this.#stdout, this.#stderr]) this.#ack(output, output.position.ackNow());
  }

  /** No step that is still held back runs any more. */
  close(): void {
    this.#closed = true;
    this.#connection = undefined;
  }

  #step(connection: FrameConnection, run: () => void | Promise<void>): void {
    // What a dead connection still had to say comes again on the next one.
    this.#gate.run(() => (this.#closed || connection !== this.#connection ? undefined : run()));
  }

  #output(stream: StreamNumber): Output {
    if (stream === streamNumbers.stdout) return this.#stdout;
    if (stream === streamNumbers.stderr) return this.#stderr;
    throw new NshError('invalidMessage', 'the shim sent output on stdin');
  }

  #finish(output: Output): void {
    if (!output.position.ended) output.position.end(output.position.received ?? 0);
    if (output.sinkEnded) return;
    output.sinkEnded = true;
    if (output.sink.end === undefined) return;
    this.#untaken++;
    output.sink.end(() => this.#oneTaken());
  }

  #took(output: Output, offset: number, error: Error | null | undefined): void {
    if (error !== null && error !== undefined) this.#events.onSinkError(output.name, error);
    else this.#ack(output, output.position.took(offset));
    this.#oneTaken();
  }

  #ack(output: Output, offset: number | undefined): void {
    if (offset !== undefined) this.#connection?.send(encodeOffset('ack', output.number, offset));
  }

  #oneTaken(): void {
    this.#untaken--;
    this.#checkTaken();
  }

  #checkTaken(): void {
    if (this.#untaken > 0) return;
    const done = this.#whenTaken;
    this.#whenTaken = undefined;
    done?.();
  }
}
