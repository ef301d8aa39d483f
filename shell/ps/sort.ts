/** Rows in the order that was asked for. Stable: what is equal stays in the order of nodes and PIDs. */
import type { Value, View } from './columns/index.ts';
import type { SortKey } from './query.ts';
import type { Row } from './row.ts';

export function sortRows(rows: readonly Row[], keys: readonly SortKey[], view: View): Row[] {
  if (keys.length === 0) return [...rows];
  const decorated = rows.map((row) => ({ row, values: keys.map(({ cell }) => cell.value(row, view)) }));
  decorated.sort((a, b) => {
    for (const [i, { descending }] of keys.entries()) {
      const order = compareValues(a.values[i] ?? null, b.values[i] ?? null);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
  return decorated.map(({ row }) => row);
}

/** What is not known comes first; runs of digits in text count as numbers, so that pts/2 comes before pts/10. */
function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareText(String(a), String(b));
}

function compareText(a: string, b: string): number {
  if (/^pts\/\d+$/.test(a) && /^pts\/\d+$/.test(b)) return Number(a.slice(4)) - Number(b.slice(4));
  return a < b ? -1 : 1;
}
