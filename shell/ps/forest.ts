/**
 * Rows as trees. A process that was started from another node hangs under its starter there. Roots come in procps's order, which is the
 * reverse of the sorted one on each node; children in the order asked for, else by their start.
 */
import type { View } from './columns/index.ts';
import type { PsQuery, SortKey } from './query.ts';
import type { Row } from './row.ts';
import { sortRows } from './sort.ts';

export function forestRows(
  rows: readonly Row[],
  keys: readonly SortKey[],
  view: View,
  style: Exclude<PsQuery['forest'], 'none'>,
): Row[] {
  const byStart = [...rows].sort((a, b) => startOrder(a, b));
  const ordered = keys.length > 0 ? sortRows(byStart, keys, view) : byParent(byStart);
  const present = new Set(rows.filter((row) => !row.ended).map((row) => row.gpid));
  const children = new Map<number, Row[]>();
  const roots: Row[] = [];
  for (const row of ordered) {
    const parent = row.parent ?? 0;
    if (parent === row.gpid || !present.has(parent)) roots.push(row);
    else (children.get(parent) ?? setNew(children, parent)).push(row);
  }
  const shown: Row[] = [];
  for (const root of rootOrder(roots)) draw(root, children, style, shown);
  return shown;
}

function startOrder(a: Row, b: Row): number {
  if (a.node === b.node) return (a.number('start') ?? 0) - (b.number('start') ?? 0);
  return a.startedMs - b.startedMs;
}

function byParent(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => (a.parent ?? 0) - (b.parent ?? 0));
}

/** Nodes in their order, on each of them the last root first. */
function rootOrder(roots: readonly Row[]): Row[] {
  const byNode = new Map<number, Row[]>();
  for (const root of roots) (byNode.get(root.node.id) ?? setNew(byNode, root.node.id)).push(root);
  return [...byNode.entries()].sort(([a], [b]) => a - b).flatMap(([, of]) => of.reverse());
}

interface Step {
  readonly row: Row;
  /** What stands before its own branch. */
  readonly prefix: string;
  readonly depth: number;
  readonly isLast: boolean;
}

/** Iterative: a chain of thousands of processes must not overflow the stack. Each process is drawn once, whatever its parents claim. */
function draw(root: Row, children: Map<number, Row[]>, style: 'art' | 'indent', shown: Row[]): void {
  const pending: Step[] = [{ row: root, prefix: '', depth: 0, isLast: true }];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    const { row, prefix, depth, isLast } = step;
    row.branch = branchText(prefix, depth, style);
    shown.push(row);
    const below = row.ended ? [] : (children.get(row.gpid) ?? []);
    children.delete(row.gpid);
    const inner = depth === 0 ? '' : prefix + (isLast ? '    ' : ' |  ');
    for (let i = below.length - 1; i >= 0; i--) {
      const child = below[i];
      if (child !== undefined) {
        pending.push({ row: child, prefix: inner, depth: depth + 1, isLast: i === below.length - 1 });
      }
    }
  }
}

function branchText(prefix: string, depth: number, style: 'art' | 'indent'): string {
  if (style === 'indent') return '  '.repeat(depth);
  return depth === 0 ? '' : `${prefix} \\_ `;
}

function setNew(map: Map<number, Row[]>, key: number): Row[] {
  const list: Row[] = [];
  map.set(key, list);
  return list;
}
