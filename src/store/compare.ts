/** Whether a comparison of a transaction holds, as etcd has it. Pure. */
import type { Compare, Entry, Relation } from './store.ts';

/** @param entry of the comparison's key; undefined where it is not there. */
export function holds(compare: Compare, entry: Entry | undefined): boolean {
  switch (compare.on) {
    case 'create':
      return relates(order(entry?.createRevision ?? 0n, compare.to), compare.is);
    case 'mod':
      return relates(order(entry?.modRevision ?? 0n, compare.to), compare.is);
    case 'version':
      return relates(order(entry?.version ?? 0n, compare.to), compare.is);
    case 'value':
      return entry !== undefined && relates(Buffer.compare(entry.value, compare.to), compare.is);
    default:
      return relates(entry?.session === compare.to ? 0 : 1, compare.is);
  }
}

function order(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function relates(sign: number, is: Relation = '='): boolean {
  if (is === '=') return sign === 0;
  if (is === '!=') return sign !== 0;
  return is === '<' ? sign < 0 : sign > 0;
}
