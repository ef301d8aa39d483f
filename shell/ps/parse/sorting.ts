/** Sort orders as people type them: `-rss,+pid`, or the single letters of BSD's O. */
import { findNear } from '../../../src/ids/near.ts';
import { allColumns, findColumn, type Column } from '../columns/index.ts';
import type { SortKey } from '../query.ts';
import { usage } from './draft.ts';
import { splitList } from './formats.ts';

export function parseSortList(text: string): SortKey[] {
  return splitList(text, 'sort').map((item) => {
    const name = item.replace(/^[+-]/, '');
    return { cell: sortColumn(name), descending: item.startsWith('-') };
  });
}

function sortColumn(name: string): Column {
  const column = findColumn(name);
  if (column !== undefined) return column;
  const names = allColumns.map((known) => known.name);
  const near = findNear(name, names);
  throw usage(`unknown sort specifier "${name}"${near.length === 0 ? '' : `; near: ${near.join(', ')}`}`);
}

const letters: Readonly<Record<string, string>> = {
  C: 'pcpu',
  G: 'tpgid',
  J: 'cstime',
  M: 'maj_flt',
  N: 'cmaj_flt',
  P: 'ppid',
  R: 'resident',
  T: 'start_time',
  U: 'uid',
  c: 'cmd',
  f: 'flags',
  g: 'pgrp',
  j: 'cutime',
  k: 'utime',
  m: 'min_flt',
  n: 'cmin_flt',
  o: 'session',
  p: 'pid',
  r: 'rss',
  s: 'size',
  t: 'tty',
  u: 'user',
  v: 'vsize',
  y: 'priority',
};

/** Undefined where the text is no such order, and may be a list of columns. */
export function parseShortSort(text: string): SortKey[] | undefined {
  const keys: SortKey[] = [];
  const seen = new Set<string>();
  let descending = false;
  for (const [i, letter] of text.split('').entries()) {
    if (letter === '+' || letter === '-') {
      if (!/[A-Za-z]/.test(text.charAt(i + 1))) return undefined;
      descending = letter === '-';
      continue;
    }
    const name = letters[letter];
    if (name === undefined || seen.has(letter)) return undefined;
    seen.add(letter);
    keys.push({ cell: sortColumn(name), descending });
    descending = false;
  }
  return keys;
}
