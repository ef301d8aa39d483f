/** Computes a terminal's screen at an offset of its log: from the newest checkpoint before it, else from the oldest byte kept. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { keptRange, listSegments, type Segment } from '../shim/log-segments.ts';
import { readRecord } from '../shim/record-files.ts';
import { readCheckpoint } from './checkpoint.ts';
import { makeEmulator, type Emulator } from './emulator.ts';

export interface Replay {
  readonly emulator: Emulator;
  readonly offset: number;
  readonly title: string;
  /** What came before the log's beginning is missing from it, and may show. */
  readonly partial: boolean;
}

export interface ReplayOptions {
  readonly directory: string;
  /** Absent: as far as the log goes. */
  readonly offset: number | undefined;
  /** Lines above the screen. */
  readonly scrollback: number;
}

interface Size {
  readonly offset: number;
  readonly cols: number;
  readonly rows: number;
}

const readBytes = 256 * 1024;
/** 26 ms a MB: more would keep a person waiting, and shows nothing that a checkpoint would not. */
const maxReplayBytes = 32 * 1024 * 1024;
/** A log that begins in the middle of a line, or of a sequence, is read from the next line on. */
const maxTornBytes = 4096;
const newline = 0x0a;

export async function replay(options: ReplayOptions): Promise<Replay> {
  // A segment may be cut away while it is read; then what is kept has moved on, and we follow.
  for (let attempt = 0; attempt < 3; attempt++) {
    const result = await attemptReplay(options);
    if (result !== undefined) return result;
  }
  throw new Error(`${options.directory}: the log is cut faster than it can be read`);
}

async function attemptReplay({ directory, offset, scrollback }: ReplayOptions): Promise<Replay | undefined> {
  const segments = listSegments(directory, 'output');
  const kept = keptRange(segments);
  const sizes = readSizes(directory);
  const checkpoint = readCheckpoint(directory);
  const end = Math.max(kept.base, Math.min(offset ?? kept.end, kept.end));
  const isCovered = checkpoint !== undefined && checkpoint.offset >= kept.base && checkpoint.offset <= end;
  const start = Math.max(isCovered ? checkpoint.offset : kept.base, end - maxReplayBytes);
  const usesCheckpoint = isCovered && start === checkpoint.offset;

  const size = usesCheckpoint ? checkpoint : sizeAt(sizes, start);
  const emulator = makeEmulator(size.cols, size.rows, scrollback);
  let title = usesCheckpoint ? checkpoint.title : '';
  emulator.onTitleChange((text) => {
    title = text;
  });
  if (usesCheckpoint) emulator.write(checkpoint.data);
  const isTorn = !usesCheckpoint && start > 0;
  const freshness = new Freshness(emulator.rows);
  let from = start;
  for (const next of [...sizes.filter((entry) => entry.offset > start && entry.offset <= end), undefined]) {
    const to = next?.offset ?? end;
    for (const chunk of readLog(segments, from, to, isTorn && from === start)) {
      if (chunk.length === 0) return undefined;
      freshness.add(chunk);
      emulator.write(chunk);
    }
    from = to;
    await settled(emulator);
    if (next !== undefined) emulator.resize(next.cols, next.rows);
  }
  const beganPartial = usesCheckpoint ? checkpoint.partial : isTorn;
  return { emulator, offset: end, title, partial: beganPartial && !freshness.isFresh };
}

/** Everything that was written has been parsed. */
function settled(emulator: Emulator): Promise<void> {
  return new Promise((resolve) => emulator.write('', resolve));
}

/** Pieces of the log; an empty one where a segment has gone meanwhile. */
function* readLog(segments: readonly Segment[], from: number, to: number, isTorn: boolean): Generator<Buffer> {
  let skipsLine = isTorn;
  for (const { path, base, size } of segments) {
    const last = Math.min(to, base + size);
    let at = Math.max(from, base);
    if (at >= last) continue;
    const fd = tryOpen(path);
    if (fd === undefined) {
      yield Buffer.alloc(0);
      return;
    }
    try {
      while (at < last) {
        const buffer = Buffer.allocUnsafe(Math.min(readBytes, last - at));
        const count = readSync(fd, buffer, 0, buffer.length, at - base);
        if (count === 0) break;
        at += count;
        const chunk = buffer.subarray(0, count);
        const whole = skipsLine ? afterTorn(chunk) : chunk;
        skipsLine = false;
        if (whole.length > 0) yield whole;
      }
    } finally {
      closeSync(fd);
    }
  }
}

function afterTorn(chunk: Buffer): Buffer {
  const end = chunk.subarray(0, maxTornBytes).indexOf(newline);
  return end === -1 ? chunk : chunk.subarray(end + 1);
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    // Cut from the log since it was listed.
    return undefined;
  }
}

function readSizes(directory: string): Size[] {
  let text = '';
  try {
    text = readFileSync(join(directory, 'sizes'), 'latin1');
  } catch {
    // The disk was full when it began.
  }
  const sizes: Size[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d{1,16}) (\d{1,4}) (\d{1,4})$/.exec(line);
    if (match === null) continue;
    sizes.push({ offset: Number(match[1]), cols: clamp(Number(match[2])), rows: clamp(Number(match[3])) });
  }
  const started = readRecord(directory)?.size ?? { cols: 80, rows: 24 };
  return sizes.length > 0 ? sizes : [{ offset: 0, ...started }];
}

function clamp(value: number): number {
  return Math.min(1000, Math.max(1, value));
}

/** The last size that was set at or before `offset`. */
function sizeAt(sizes: readonly Size[], offset: number): Size {
  return sizes.findLast((size) => size.offset <= offset) ?? { offset: 0, cols: 80, rows: 24 };
}

/** Whether what a screen shows can still depend on what came before: it was cleared since, or has scrolled away. */
class Freshness {
  readonly #linesToGo: number;
  #lines = 0;
  #isCleared = false;

  constructor(rows: number) {
    this.#linesToGo = rows * 2;
  }

  get isFresh(): boolean {
    return this.#isCleared || this.#lines >= this.#linesToGo;
  }

  add(chunk: Buffer): void {
    if (this.isFresh) return;
    const text = chunk.toString('latin1');
    this.#isCleared ||= text.includes('\x1b[2J') || text.includes('\x1bc');
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lines++;
  }
}
