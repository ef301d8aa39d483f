/** One output stream as those see it who send it to clients: live with memory and log, or ended with files alone. */
import { closeSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { StreamNumber } from '../../src/protocol/frames.ts';
import type { Segment } from './log-segments.ts';
import type { Slab } from './slab.ts';

const openFile = promisify(open);
const readFile = promisify(read);

export interface Piece {
  readonly bytes: Buffer;
  readonly slab: Slab | undefined;
}

export interface OutputView {
  readonly number: StreamNumber;
  /** Offset of the oldest byte kept. */
  readonly base: number;
  /** Offset behind the newest byte. */
  readonly end: number;
  /** No byte follows. */
  readonly closed: boolean;
  /** Bytes in memory from `offset` on; undefined where memory does not hold it. */
  at(offset: number, max: number): Piece | undefined;
  /** The first offset from this one on that can be read: more than `offset` where bytes are gone. */
  nextReadable(offset: number): number;
  /** Bytes from files; empty where they are gone. */
  readLog(offset: number, max: number): Promise<Buffer>;
}

/** Reads from the segment that holds `offset`; empty where none does, or the file has been removed meanwhile. */
export async function readSegments(segments: readonly Segment[], offset: number, max: number): Promise<Buffer> {
  const segment = segments.find(({ base, size }) => offset >= base && offset < base + size);
  if (segment === undefined) return Buffer.alloc(0);
  const from = offset - segment.base;
  const buffer = Buffer.allocUnsafe(Math.min(max, segment.size - from));
  try {
    const fd = await openFile(segment.path, 'r');
    try {
      const { bytesRead } = await readFile(fd, buffer, 0, buffer.length, from);
      return buffer.subarray(0, bytesRead);
    } finally {
      // Not in the thread pool: a number must not become free while a terminal is forked (inherited-descriptors.ts).
      closeSync(fd);
    }
  } catch {
    // Cut from the log, or unreadable: gone for this reader, who is told of the gap.
    return Buffer.alloc(0);
  }
}
