/**
 * Writes one output stream to its segments as it comes, at most one write at a time, and removes the oldest segment when more than
 * `keepBytes` would stay without it. What is lost by it (full disk, disk slower than the process) is the log, never the stream.
 */
import { closeSync, open, unlink, writev } from 'node:fs';
import { join } from 'node:path';
import type { OutputMemory } from './output-memory.ts';
import { segmentName, type Segment, type StreamName } from './log-segments.ts';

export interface OutputLogOptions {
  readonly directory: string;
  readonly stream: StreamName;
  /** Bytes to keep; at most an eighth more stays. */
  readonly keepBytes: number;
  readonly memory: OutputMemory;
  /** Bytes were written or given up: memory may be let go, reading may go on. */
  readonly onProgress: () => void;
  /** The log is lost from here on. */
  readonly onError: (error: Error) => void;
  /** A new segment has begun, and half of what is kept is full: before long the oldest one will go. */
  readonly onFilling?: () => void;
}

const writeBytes = 256 * 1024;
/** A little output waits so long for company. */
const gatherMs = 20;
/** With so much waiting it does not wait for company. */
const eagerBytes = 64 * 1024;
const minSegmentBytes = 64 * 1024;

export class OutputLog {
  readonly #options: OutputLogOptions;
  readonly #segmentBytes: number;
  readonly #segments: Segment[] = [];
  #fd: number | undefined;
  /** Everything before it is in the files, or lost. */
  #written = 0;
  #busy = false;
  #failed = false;
  /** Counts skips: a write that was under way during one has nothing to add. */
  #generation = 0;
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];

  constructor(options: OutputLogOptions) {
    this.#options = options;
    this.#segmentBytes = Math.max(minSegmentBytes, Math.floor(options.keepBytes / 8));
  }

  /** Memory from here on is still needed by the log. */
  get written(): number {
    return this.#failed ? Infinity : this.#written;
  }

  /** What the files hold: [base, end). */
  get base(): number {
    return this.#segments[0]?.base ?? this.#written;
  }

  get end(): number {
    const last = this.#segments.at(-1);
    return last === undefined ? this.#written : last.base + last.size;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** There are new bytes in memory. */
  notify(): void {
    if (this.#failed || this.#busy) return;
    if (this.#pending >= eagerBytes) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), gatherMs);
  }

  /** Forgets what is not written yet: the disk cannot keep up. What is kept begins anew here. */
  skip(): void {
    if (this.#failed) return;
    this.#generation++;
    this.#written = this.#options.memory.end;
    for (const segment of this.#segments.splice(0)) remove(segment.path);
    this.#closeFile();
  }

  /** Resolves when everything up to now is written or lost. */
  async flush(): Promise<void> {
    while (!this.#failed && (this.#busy || this.#pending > 0)) {
      if (!this.#busy) this.#write();
      if (this.#busy) await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  /** After `flush`. */
  close(): void {
    clearTimeout(this.#timer);
    this.#closeFile();
  }

  get #pending(): number {
    return this.#options.memory.end - this.#written;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#busy || this.#failed || this.#pending === 0) return;
    this.#busy = true;
    const segment = this.#segments.at(-1);
    if (this.#fd === undefined || segment === undefined || segment.size >= this.#segmentBytes) this.#openNext();
    else this.#append(this.#fd, segment);
  }

  #openNext(): void {
    this.#closeFile();
    const base = this.#written;
    const path = join(this.#options.directory, segmentName(this.#options.stream, base));
    const generation = this.#generation;
    open(path, 'w', 0o600, (error, fd) => {
      if (error !== null) {
        this.#fail(error);
        return;
      }
      if (generation !== this.#generation) {
        closeQuietly(fd);
        remove(path);
        this.#proceed();
        return;
      }
      this.#fd = fd;
      const segment = { path, base, size: 0 };
      this.#segments.push(segment);
      this.#cut();
      this.#append(fd, segment);
    });
  }

  #append(fd: number, segment: Segment): void {
    const room = Math.min(writeBytes, this.#segmentBytes - segment.size);
    const pieces = this.#options.memory.pieces(this.#written, room);
    for (const piece of pieces) piece.slab?.retain();
    const buffers = pieces.map((piece) => piece.bytes);
    const generation = this.#generation;
    writev(fd, buffers, segment.size, (error, count) => {
      for (const piece of pieces) piece.slab?.release();
      if (error !== null) {
        this.#fail(error);
        return;
      }
      if (generation === this.#generation) {
        segment.size += count;
        this.#written += count;
      }
      this.#proceed();
    });
  }

  #proceed(): void {
    this.#settle();
    if (this.#pending > 0) this.notify();
    this.#options.onProgress();
  }

  #settle(): void {
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #cut(): void {
    const { keepBytes, onFilling } = this.#options;
    if (this.end - this.base >= keepBytes / 2) onFilling?.();
    for (let oldest = this.#segments[0]; oldest !== undefined; oldest = this.#segments[0]) {
      if (this.end - (oldest.base + oldest.size) < keepBytes) return;
      this.#segments.shift();
      remove(oldest.path);
    }
  }

  #fail(error: Error): void {
    this.#failed = true;
    this.#closeFile();
    this.#settle();
    this.#options.onError(error);
    this.#options.onProgress();
  }

  #closeFile(): void {
    if (this.#fd === undefined) return;
    closeQuietly(this.#fd);
    this.#fd = undefined;
  }
}

function closeQuietly(fd: number): void {
  try {
    // Not in the thread pool: a number must not become free while a terminal is forked (inherited-descriptors.ts).
    closeSync(fd);
  } catch {
    // Nobody can do anything about a failing close of what has been written.
  }
}

function remove(path: string): void {
  // Gone already is as good; anything else leaves a file that retention removes with its directory.
  unlink(path, () => undefined);
}
