/**
 * Rewrites the history file with its newest entries. Other sessions go on appending meanwhile, and this process may be killed at any
 * point: the old file keeps a second name, `history.old`, until all that was appended to it up to its replacement stands in the new one.
 * Whoever finds that name left over takes the records from it. flock(1) lets one rewrite at a time and lets go when its holder dies.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { appendRecord, endOfLines, isSameFile, openForReading, readBetween } from './history-file.ts';
import { withFileLock } from './file-lock.ts';
import { decodeLines, encodeEntry, encodeOutcome, type HistoryRecord } from './record.ts';

/** Does nothing where another process is at it. @throws Error */
export async function trimHistory(path: string, maxEntries: number): Promise<void> {
  await withFileLock(`${path}.lock`, () => {
    bringBack(path);
    rewrite(path, maxEntries);
  });
}

/** A rewrite is under way, or was killed. */
export function hasLeftover(path: string): boolean {
  return existsSync(`${path}.old`);
}

function rewrite(path: string, maxEntries: number): void {
  const old = openForReading(path);
  if (old === undefined) return;
  const draft = `${path}.new`;
  try {
    linkSync(path, `${path}.old`);
    const bytes = readBetween(old, 0, fstatSync(old).size);
    const end = endOfLines(bytes);
    writeDraft(draft, keepNewest(decodeLines(bytes.toString('utf8', 0, end)), maxEntries));
    renameSync(draft, path);
    // Whoever appended before that instant believes the record kept; whoever does it later sees that the file is another.
    const rest = readBetween(old, end, fstatSync(old).size).toString('utf8');
    if (rest !== '') appendRecord(path, rest.endsWith('\n') ? rest : `${rest}\n`);
    rmSync(`${path}.old`);
  } finally {
    closeSync(old);
    rmSync(draft, { force: true });
  }
}

/** What a rewrite that was killed left: records that may not have come into the new file. */
function bringBack(path: string): void {
  const left = `${path}.old`;
  const stat = statSync(left, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const now = statSync(path, { throwIfNoEntry: false });
  // Killed before the replacement: both names mean one file.
  if (now === undefined || !isSameFile(stat, now)) {
    const known = new Set(now === undefined ? [] : decodeLines(readFileSync(path, 'utf8')).map(identify));
    const records = decodeLines(readFileSync(left, 'utf8'));
    // What precedes the first one that was taken over is what the rewrite left out.
    const first = records.findIndex((record) => known.has(identify(record)));
    const missing = records.slice(Math.max(first, 0)).filter((record) => !known.has(identify(record)));
    if (missing.length > 0) appendRecord(path, missing.map(encode).join(''));
  }
  rmSync(left);
}

function identify(record: HistoryRecord): string {
  return record.kind === 'entry' ? record.entry.key : `${record.key} ended`;
}

function encode(record: HistoryRecord): string {
  return record.kind === 'entry' ? encodeEntry(record.entry) : encodeOutcome(record.key, record.outcome);
}

function keepNewest(records: readonly HistoryRecord[], maxEntries: number): string {
  const once = [...new Map(records.map((record) => [identify(record), record])).values()];
  const entries = once.filter((record) => record.kind === 'entry').slice(-maxEntries);
  const kept = new Set(entries.map(({ entry }) => entry.key));
  return once
    .filter((record) => kept.has(record.kind === 'entry' ? record.entry.key : record.key))
    .map(encode)
    .join('');
}

/** On disk before it takes the name: a crash of the machine shall not leave an empty history. */
function writeDraft(draft: string, text: string): void {
  rmSync(draft, { force: true });
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
