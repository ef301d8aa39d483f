/**
 * Names of the files that kept output lies in: `stdout`, `stderr` or `output` (a terminal's) holds it from the first byte on; once
 * the log has been cut, segments are called `stdout.0000008388608` after the offset of their first byte, so that `cat stdout*`
 * prints what is kept, in order.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type StreamName = 'stdout' | 'stderr' | 'output';

/** Of a process, in the order of its stream numbers. */
export function streamNames({
  io,
  stdout,
}: {
  readonly io: 'pty' | 'pipes';
  readonly stdout?: 'terminal' | 'pipe' | undefined;
}): readonly StreamName[] {
  if (io === 'pipes') return ['stdout', 'stderr'];
  return stdout === 'pipe' ? ['output', 'stdout'] : ['output'];
}

export interface Segment {
  readonly path: string;
  /** Offset of its first byte. */
  readonly base: number;
  /** Bytes in it. */
  size: number;
}

const digits = 13;

export function segmentName(stream: StreamName, base: number): string {
  return base === 0 ? stream : `${stream}.${String(base).padStart(digits, '0')}`;
}

/** Segments of a stream in order of their offsets; none where the directory is gone. */
export function listSegments(directory: string, stream: StreamName): Segment[] {
  const found: Segment[] = [];
  for (const name of namesIn(directory)) {
    const base = segmentBase(name, stream);
    if (base === undefined) continue;
    const path = join(directory, name);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size !== undefined) found.push({ path, base, size });
  }
  return found.sort((a, b) => a.base - b.base);
}

/** What is kept in files: from the first byte of the newest run of segments without a hole to its end. */
export function keptRange(segments: readonly Segment[]): { base: number; end: number } {
  const last = segments.at(-1);
  if (last === undefined) return { base: 0, end: 0 };
  let base = last.base;
  for (const segment of segments.slice(0, -1).reverse()) {
    if (segment.base + segment.size !== base) break;
    base = segment.base;
  }
  return { base, end: last.base + last.size };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Retention has removed it since.
    return [];
  }
}

function segmentBase(name: string, stream: StreamName): number | undefined {
  if (name === stream) return 0;
  if (!name.startsWith(`${stream}.`)) return undefined;
  const base = name.slice(stream.length + 1);
  return /^\d{13}$/.test(base) ? Number(base) : undefined;
}
