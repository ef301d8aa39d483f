/**
 * What the history file holds: one JSON text a line, an entry when a line of the session is accepted, and its outcome when that is known.
 * `s` and `k` (session, count within it) name an entry: a record that comes twice is one. Keys are short, since the file is read whole.
 */
import { escapeJson } from '../escape.ts';

export interface HistoryEntry {
  readonly key: string;
  /** As typed, control characters and line feeds included: show it through `show.ts`. */
  readonly line: string;
  readonly session: string;
  readonly node: string;
  readonly cwd: string;
  /** Unix time, ms. */
  readonly atMs: number;
  /** Absent until it has ended, and for ever where the session died first. */
  readonly outcome?: HistoryOutcome;
}

export interface HistoryOutcome {
  readonly status: number;
  readonly durationMs: number;
}

export type HistoryRecord =
  | { readonly kind: 'entry'; readonly entry: HistoryEntry }
  | { readonly kind: 'outcome'; readonly key: string; readonly outcome: HistoryOutcome };

/** A longer line is not kept: every session reads the file. */
export const maxLineLength = 65_536;

export function entryKey(session: string, count: number): string {
  return `${session}:${count}`;
}

/** Blank lines and those that begin with a blank are not kept (as with bash's `ignorespace`), nor are enormous ones. */
export function isKept(line: string): boolean {
  return line !== '' && !/^\s/.test(line) && line.length <= maxLineLength;
}

export function encodeEntry({ key, line, node, cwd, atMs }: Omit<HistoryEntry, 'outcome'>): string {
  return encode({ ...splitKey(key), t: atMs, n: node, d: cwd, l: line });
}

export function encodeOutcome(key: string, { status, durationMs }: HistoryOutcome): string {
  return encode({ ...splitKey(key), x: status, ms: durationMs });
}

/** JSON.stringify leaves C1 controls as they are; nothing in the file shall act on the terminal of someone who prints it. */
function encode(record: Readonly<Record<string, unknown>>): string {
  return `${escapeJson(JSON.stringify(record))}\n`;
}

function splitKey(key: string): { s: string; k: number } {
  const colon = key.lastIndexOf(':');
  return { s: key.slice(0, colon), k: Number(key.slice(colon + 1)) };
}

/** Every record in whole lines of the file, in order; what is no record is passed over. */
export function decodeLines(text: string): HistoryRecord[] {
  const lines = text.split('\n').filter((line) => line !== '');
  try {
    // One call for all of them takes half the time.
    const values = JSON.parse(`[${lines.join(',')}]`) as unknown[];
    return values.flatMap((value) => toRecord(value) ?? []);
  } catch {
    // A torn line is among them: each is looked at for itself.
    return lines.flatMap((line) => decodeLine(line));
  }
}

/** Where a record begins: inside a string the quotes would stand behind backslashes. */
const recordStart = /(?=\{"s":")/;

/** A line that was torn by a crash has the next record glued to it, which is good. */
function decodeLine(line: string): HistoryRecord[] {
  return line.split(recordStart).flatMap((text) => {
    try {
      return toRecord(JSON.parse(text)) ?? [];
    } catch {
      return []; // The torn one: nobody can tell what it said.
    }
  });
}

/** Checked by hand: ten thousand of them are read before the first search. */
function toRecord(value: unknown): HistoryRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { s, k, t, n, d, l, x, ms } = value as Record<string, unknown>;
  if (typeof s !== 'string' || typeof k !== 'number') return undefined;
  const key = entryKey(s, k);
  if (typeof l === 'string') {
    if (typeof t !== 'number' || typeof n !== 'string' || typeof d !== 'string' || l === '') return undefined;
    return { kind: 'entry', entry: { key, line: l, session: s, node: n, cwd: d, atMs: t } };
  }
  if (typeof x !== 'number' || typeof ms !== 'number') return undefined;
  return { kind: 'outcome', key, outcome: { status: x, durationMs: ms } };
}
