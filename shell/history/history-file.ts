/**
 * Reading and appending. A record goes to the end in one write (O_APPEND), so that those of several sessions never mix. Whoever rewrites
 * the file puts another in its place (trim.ts): a writer looks afterwards whether its file is still the one that the name means, and else
 * writes again. A record may thereby come twice, which readers see by its key; none is lost.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** `$NSH_HISTORY`, else `${XDG_STATE_HOME:-~/.local/state}/nsh/history`. */
export function historyPath(env: Environment): string {
  const own = env['NSH_HISTORY'];
  if (own !== undefined && own.startsWith('/')) return own;
  const given = env['XDG_STATE_HOME'];
  const base = given !== undefined && given.startsWith('/') ? given : join(env['HOME'] ?? homedir(), '.local/state');
  return join(base, 'nsh', 'history');
}

const maxAttempts = 20;

/** @throws Error (ENOSPC, EACCES, …) */
export function appendRecord(path: string, record: string): void {
  const bytes = Buffer.from(record, 'utf8');
  for (let attempt = 0; attempt < maxAttempts; attempt++) if (appendOnce(path, bytes)) return;
  throw new Error(`${path} is replaced again and again`);
}

/** False where the file was replaced meanwhile. */
function appendOnce(path: string, bytes: Buffer): boolean {
  const file = openForAppend(path);
  try {
    const written = writeSync(file, bytes);
    // What is torn here readers pass over; the disk is full.
    if (written < bytes.length) throw new Error(`${path}: only ${written} of ${bytes.length} bytes could be written`);
    const now = statSync(path, { throwIfNoEntry: false });
    return now !== undefined && isSameFile(fstatSync(file), now);
  } finally {
    closeSync(file);
  }
}

function openForAppend(path: string): number {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return closed(openSync(path, flags, 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return closed(openSync(path, flags, 0o600));
  }
}

/** Closed to others: lines hold what people typed. */
function closed(file: number): number {
  if ((fstatSync(file).mode & 0o077) !== 0) fchmodSync(file, 0o600);
  return file;
}

export function isSameFile(a: Pick<Stats, 'ino' | 'dev'>, b: Pick<Stats, 'ino' | 'dev'>): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** An open file to read parts of; undefined where there is none. @throws Error where it may not be read. */
export function openForReading(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Bytes [from, to), fewer where the file ends before. */
export function readBetween(file: number, from: number, to: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.max(0, to - from));
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(file, buffer, length, buffer.length - length, from + length);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

/** Offset behind the last line feed of `buffer`; 0 where it has none. */
export function endOfLines(buffer: Buffer): number {
  return buffer.lastIndexOf(0x0a) + 1;
}
