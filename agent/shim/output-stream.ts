/**
 * One output stream of a living process: read from its descriptor into memory, from there to the log and to clients. Memory is held as
 * long as somebody needs it; the process waits where that is the foreground client, and for a moment where it is the disk.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamNumber } from '../../src/protocol/frames.ts';
import { maxBehindBytes } from '../../src/protocol/limits.ts';
import { keptRange, segmentName, type StreamName } from './log-segments.ts';
import { OutputGatherer } from './output-gatherer.ts';
import { OutputLog } from './output-log.ts';
import { OutputMemory } from './output-memory.ts';
import { OutputSource } from './output-source.ts';
import { readSegments, type OutputView, type Piece } from './output-view.ts';
import { pipeSlabs, ptySlabs } from './slab.ts';

/** `disk`: written as it comes. `tail`: the last bytes stay in memory and are written at the end. */
export type KeepMode = 'disk' | 'tail' | 'none';

export interface OutputStreamOptions {
  readonly number: StreamNumber;
  readonly name: StreamName;
  readonly fd: number;
  readonly kind: 'pipe' | 'pty';
  readonly keep: KeepMode;
  readonly keepBytes: number;
  readonly directory: string;
  /** New bytes, or the end. */
  readonly onChange: (stream: OutputStream) => void;
  readonly onLogError: (error: Error) => void;
  readonly onFilling: () => void;
  /** What the foreground client has acked, and how far the process may be ahead of it; undefined where nobody holds it up. */
  readonly hold: (stream: StreamNumber) => { readonly acked: number; readonly window: number } | undefined;
}

/** Clients that read live; the memory they still need is kept, up to `maxBehindBytes`. */
export interface LiveReader {
  readonly position: number;
}

/** Unwritten log beyond which the process waits for the disk … */
const maxLogBacklogBytes = 4 * 1024 * 1024;
/** … but no longer than this: then the log loses its oldest part. */
const maxDiskWaitMs = 250;

export class OutputStream implements OutputView {
  readonly number: StreamNumber;
  readonly readers = new Set<LiveReader>();
  readonly #options: OutputStreamOptions;
  readonly #memory: OutputMemory;
  readonly #source: OutputSource;
  readonly #log: OutputLog | undefined;
  #closed = false;
  #diskTimer: NodeJS.Timeout | undefined;
  /** Set once the tail is in a file. */
  #tailBase: number | undefined;

  constructor(options: OutputStreamOptions) {
    this.#options = options;
    this.number = options.number;
    this.#memory = new OutputMemory(options.kind === 'pty' ? ptySlabs : pipeSlabs);
    if (options.keep === 'disk') {
      this.#log = new OutputLog({
        directory: options.directory,
        stream: options.name,
        keepBytes: options.keepBytes,
        memory: this.#memory,
        onProgress: () => this.regulate(),
        onError: options.onLogError,
        onFilling: options.onFilling,
      });
    }
    const tell = (): void => options.onChange(this);
    const gatherer = options.kind === 'pty' ? new OutputGatherer(tell) : undefined;
    this.#source = new OutputSource(options.fd, options.kind, this.#memory, {
      onData: () => {
        this.#log?.notify();
        if (gatherer === undefined) tell();
        else gatherer.came(this.end);
        this.regulate();
      },
      onEnd: () => {
        this.#closed = true;
        gatherer?.stop();
        clearTimeout(this.#diskTimer);
        options.onChange(this);
      },
    });
  }

  get end(): number {
    return this.#memory.end;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get base(): number {
    const log = this.#log;
    return log !== undefined && log.end > log.base ? Math.min(log.base, this.#memory.base) : this.#memory.base;
  }

  at(offset: number, max: number): Piece | undefined {
    return this.#memory.at(offset, max);
  }

  nextReadable(offset: number): number {
    if (offset >= this.#memory.base) return offset;
    const log = this.#log;
    if (log !== undefined && offset < log.end) return Math.max(offset, log.base);
    return this.#memory.base;
  }

  readLog(offset: number, max: number): Promise<Buffer> {
    return readSegments(this.#log?.segments ?? [], offset, max);
  }

  /** Lets go of memory that nobody needs, and reads on or waits. Call when a client has acked or gone. */
  regulate(): void {
    this.#memory.drop(this.#neededFrom());
    const isHeld = this.#isHeld();
    if (isHeld || this.#waitsForDisk()) this.#source.pause();
    else this.#source.resume();
  }

  /** A terminal gives what is typed as it comes, whole lines or not, and shows nothing of it. */
  makeRaw(): void {
    this.#source.makeRaw();
  }

  /** The process has been reaped: takes what it has left behind. */
  drain(): void {
    this.#source.drain();
  }

  /** Ends the stream though others may still hold its other end. */
  close(): void {
    this.#source.close();
  }

  /** After the end: makes the files complete. @throws where the tail cannot be written. */
  finish(): void {
    if (this.#options.keep !== 'tail' || this.#tailBase !== undefined) return;
    const base = Math.max(this.#memory.base, this.end - this.#options.keepBytes);
    this.#tailBase = base;
    const bytes = Buffer.concat(this.#memory.pieces(base, this.end - base).map((piece) => piece.bytes));
    if (bytes.length > 0) {
      writeFileSync(join(this.#options.directory, segmentName(this.#options.name, base)), bytes, { mode: 0o600 });
    }
  }

  async flushLog(): Promise<void> {
    await this.#log?.flush();
  }

  closeLog(): void {
    this.#log?.close();
  }

  /** Whether the log still has to write. */
  get isLogPending(): boolean {
    return this.#log !== undefined && this.#log.written < this.end;
  }

  /** What is kept in files. */
  get kept(): { base: number; end: number; closed: boolean } {
    if (this.#tailBase !== undefined) return { base: this.#tailBase, end: this.end, closed: this.#closed };
    const log = this.#log;
    if (log === undefined) return { base: this.base, end: this.end, closed: this.#closed };
    const { base } = log.segments.length > 0 ? keptRange(log.segments) : { base: log.base };
    return { base: Math.min(base, this.end), end: this.end, closed: this.#closed };
  }

  #neededFrom(): number {
    const end = this.end;
    let from = Math.min(end, this.#log?.written ?? Infinity);
    if (this.#options.keep === 'tail' && this.#tailBase === undefined)
      from = Math.min(from, end - this.#options.keepBytes);
    const hold = this.#options.hold(this.number);
    if (hold !== undefined) from = Math.min(from, hold.acked);
    for (const reader of this.readers) from = Math.min(from, Math.max(reader.position, end - maxBehindBytes));
    return from;
  }

  #isHeld(): boolean {
    const hold = this.#options.hold(this.number);
    return hold !== undefined && this.end - hold.acked >= hold.window;
  }

  #waitsForDisk(): boolean {
    const log = this.#log;
    if (log === undefined || this.end - log.written < maxLogBacklogBytes) {
      clearTimeout(this.#diskTimer);
      this.#diskTimer = undefined;
      return false;
    }
    this.#diskTimer ??= setTimeout(() => {
      this.#diskTimer = undefined;
      log.skip();
      this.regulate();
    }, maxDiskWaitMs);
    return true;
  }
}
