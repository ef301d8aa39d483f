/** Which processes are shown, and in which order: filter, sort, tree. Pure. */
import type { Task } from './task.ts';

export const sortFields = ['cpu', 'mem', 'node', 'user', 'time', 'pid', 'command'] as const;
export type SortField = (typeof sortFields)[number];

export interface Arrangement {
  readonly sort: SortField;
  readonly reversed: boolean;
  /** Shown where its PID, node, user or command holds this; case does not matter. Empty: all. */
  readonly filter: string;
  readonly tree: boolean;
}

export interface Arranged {
  readonly task: Task;
  /** What a tree draws before the command. */
  readonly branch: string;
}

type Order = (a: Task, b: Task) => number;

/** What one looks for comes first: the most of an amount, the beginning of an alphabet. */
const orders: Readonly<Record<SortField, Order>> = {
  cpu: (a, b) => b.cpu - a.cpu || b.ticks - a.ticks,
  mem: (a, b) => b.residentKb - a.residentKb,
  node: (a, b) => a.node.id - b.node.id || b.cpu - a.cpu,
  user: (a, b) => compareText(a.user, b.user) || b.cpu - a.cpu,
  time: (a, b) => b.ticks - a.ticks,
  pid: (a, b) => a.gpid - b.gpid,
  command: (a, b) => compareText(a.command, b.command),
};

export function arrange(tasks: readonly Task[], { sort, reversed, filter, tree }: Arrangement): readonly Arranged[] {
  const order = orders[sort];
  const sign = reversed ? -1 : 1;
  const inOrder = (some: readonly Task[]): Task[] => some.toSorted((a, b) => sign * order(a, b) || a.gpid - b.gpid);
  const isWanted = filter === '' ? undefined : matcher(filter);
  if (tree) return asTree(inOrder(tasks), isWanted);
  return inOrder(isWanted === undefined ? tasks : tasks.filter(isWanted)).map((task) => ({ task, branch: '' }));
}

function matcher(filter: string): (task: Task) => boolean {
  const wanted = filter.toLowerCase();
  return ({ gpid, node, user, command }) =>
    command.toLowerCase().includes(wanted) ||
    node.name.toLowerCase().includes(wanted) ||
    user.toLowerCase().includes(wanted) ||
    String(gpid).includes(wanted);
}

/** Children below their parents, each set in the order asked for; with a filter the ancestors of what it finds are shown too. */
function asTree(sorted: readonly Task[], isWanted: ((task: Task) => boolean) | undefined): Arranged[] {
  const byGpid = new Map(sorted.map((task) => [task.gpid, task]));
  const shown = isWanted === undefined ? undefined : withAncestors(sorted.filter(isWanted), byGpid);
  const children = new Map<number, Task[]>();
  const roots: Task[] = [];
  for (const task of sorted) {
    if (shown?.has(task) === false) continue;
    const siblings = children.get(task.parent);
    if (!byGpid.has(task.parent) || task.parent === task.gpid) roots.push(task);
    else if (siblings === undefined) children.set(task.parent, [task]);
    else siblings.push(task);
  }
  const rows: Arranged[] = [];
  for (const root of roots) drawTree(root, children, rows);
  return rows;
}

function withAncestors(found: readonly Task[], byGpid: ReadonlyMap<number, Task>): Set<Task> {
  const shown = new Set<Task>();
  for (const task of found) {
    for (let at: Task | undefined = task; at !== undefined && !shown.has(at); at = byGpid.get(at.parent)) shown.add(at);
  }
  return shown;
}

interface Step {
  readonly task: Task;
  readonly prefix: string;
  readonly depth: number;
  readonly isLast: boolean;
}

/** Iterative, and each process once, whatever its parents claim. */
function drawTree(root: Task, children: Map<number, Task[]>, rows: Arranged[]): void {
  const pending: Step[] = [{ task: root, prefix: '', depth: 0, isLast: true }];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    const { task, prefix, depth, isLast } = step;
    rows.push({ task, branch: depth === 0 ? '' : `${prefix}${isLast ? '└─ ' : '├─ '}` });
    const below = children.get(task.gpid) ?? [];
    children.delete(task.gpid);
    const inner = depth === 0 ? '' : `${prefix}${isLast ? '   ' : '│  '}`;
    for (const [i, child] of below.toReversed().entries())
      pending.push({ task: child, prefix: inner, depth: depth + 1, isLast: i === 0 });
  }
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
