/** Walking and searching, from a position on, one step a call. */
import type { History } from './history.ts';
import type { HistoryEntry } from './record.ts';

export interface HistoryQuery {
  /** Lines that begin so. */
  readonly prefix?: string;
  /** Lines that hold this; without upper-case letters in it, in any case. */
  readonly substring?: string;
  /** Lines that are just this are passed over: what is on the screen already. */
  readonly except?: string;
}

export interface HistoryMatch {
  readonly position: number;
  readonly entry: HistoryEntry;
  /** Where in the line the text was found. */
  readonly index: number;
}

export type HistoryDirection = 'older' | 'newer';

/** The next match beyond `from`: `history.end` begins with the newest. Undefined where there is none. */
export function searchHistory(
  history: History,
  from: number,
  direction: HistoryDirection,
  query: HistoryQuery = {},
): HistoryMatch | undefined {
  const step = direction === 'older' ? -1 : 1;
  const find = finder(query);
  for (let position = from + step; ; position += step) {
    const entry = history.at(position);
    if (entry === undefined) return undefined;
    const index = entry.line === query.except ? -1 : find(entry.line);
    if (index >= 0) return { position, entry, index };
  }
}

function finder({ prefix, substring }: HistoryQuery): (line: string) => number {
  const begins = (line: string): boolean => prefix === undefined || line.startsWith(prefix);
  if (substring === undefined) return (line) => (begins(line) ? 0 : -1);
  if (substring !== substring.toLowerCase()) return (line) => (begins(line) ? line.indexOf(substring) : -1);
  const inAnyCase = new RegExp(substring.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'), 'i');
  return (line) => (begins(line) ? line.search(inAnyCase) : -1);
}
