/** Which rows a ps shows. Lists name cluster PIDs, so their nodes must be known; everything else is read from the rows. */
import { parseProcessName, type ProcessNameContext } from '../../src/ids/process-name.ts';
import type { RawColumn } from '../../src/protocol/process.ts';
import type { ListKind, Scope, Selection, Selector } from './query.ts';
import type { Row } from './row.ts';

/** Who asks, for `x`, `T` and no option at all. */
export interface Caller {
  readonly user: string;
  readonly uid: number;
  /** GPID of this process. */
  readonly gpid: number;
  /** Node that this machine is. */
  readonly node: number;
  /** `BOOT:SID:TICKS` of the terminal or session: what processes started from it have in their record. */
  readonly session: string;
}

type Test = (row: Row) => boolean;

/** Raw columns that a kind of list looks at. */
const listNeeds: Readonly<Record<ListKind, readonly RawColumn[]>> = {
  pid: ['pid'],
  quickPid: ['pid'],
  ppid: ['ppid'],
  pgrp: ['pgrp'],
  session: ['session'],
  command: ['comm'],
  tty: ['tty'],
  effectiveUser: ['euser', 'euid'],
  realUser: ['ruser', 'ruid'],
  effectiveGroup: ['egroup', 'egid'],
  realGroup: ['rgroup', 'rgid'],
};

export function selectionNeeds({ scopes, lists, runningOnly, hideKernel }: Selection): RawColumn[] {
  const needs: RawColumn[] = runningOnly ? ['state'] : [];
  if (hideKernel) needs.push('ppid');
  if (scopes.has('own')) needs.push('euser', 'euid');
  if (scopes.has('notLeaders')) needs.push('session');
  for (const { kind } of lists) needs.push(...(kind === 'ownTty' ? (['tty'] as const) : listNeeds[kind]));
  return needs;
}

/** True where managed processes are all that can be shown. */
export function onlyManaged({ scopes, lists, negate }: Selection): boolean {
  if (negate || lists.length > 0) return false;
  return [...scopes].every((scope) => scope === 'managed' || scope === 'session');
}

/** The only PIDs that can be shown, as cluster PIDs in the order given; undefined where others can. */
export function onlyPids({ scopes, lists, negate }: Selection, context: ProcessNameContext): number[] | undefined {
  if (negate || scopes.size > 0 || lists.length === 0) return undefined;
  const pids: number[] = [];
  for (const list of lists) {
    if (list.kind !== 'pid' && list.kind !== 'quickPid') return undefined;
    pids.push(...list.items.map((item) => parseProcessName(item, context).gpid));
  }
  return pids;
}

/** @throws NshError `unknownNode` or `noSuchProcess` where a list names what cannot be. */
export function selectRows(
  rows: readonly Row[],
  selection: Selection,
  caller: Caller,
  context: ProcessNameContext,
): Row[] {
  if (isEverything(selection)) return [...rows];
  const tests = [
    ...[...selection.scopes].map((scope) => scopeTests[scope](caller)),
    ...selection.lists.map((list) => listTest(list, rows, caller, context)),
  ];
  return rows.filter((row) => {
    if (selection.hideKernel && isKernels(row)) return false;
    const running = !selection.runningOnly || isRunning(row);
    const selected = running && tests.some((test) => test(row));
    return selected !== selection.negate;
  });
}

function isEverything({ scopes, lists, runningOnly, hideKernel, negate }: Selection): boolean {
  return scopes.has('all') && lists.length === 0 && !runningOnly && !hideKernel && !negate;
}

/** kthreadd, from which all kernel threads come. */
const kernelPid = 2;

export function isKernels(row: Row): boolean {
  return row.pid === kernelPid || row.number('ppid') === kernelPid;
}

function isRunning(row: Row): boolean {
  const state = row.text('state');
  return state === 'R' || state === 'D';
}

const scopeTests: Readonly<Record<Scope, (caller: Caller) => Test>> = {
  all: () => () => true,
  managed: () => (row) => row.managed !== undefined,
  session: (caller) => (row) => row.managed?.starter.session === caller.session,
  own: (caller) => (row) =>
    row.node.id === caller.node
      ? row.number('euid') === caller.uid
      : row.text('euser') === (row.node.user ?? caller.user),
  notLeaders: () => (row) => row.number('session') !== row.pid,
};

function listTest(list: Selector, rows: readonly Row[], caller: Caller, context: ProcessNameContext): Test {
  if (list.kind === 'ownTty') return ownTtyTest(rows, caller);
  return listTests[list.kind](list.items, context);
}

type ListTest = (items: readonly string[], context: ProcessNameContext) => Test;

const listTests: Readonly<Record<ListKind, ListTest>> = {
  pid: (items, context) => pidTest(items, context, (row) => row.gpid),
  quickPid: (items, context) => pidTest(items, context, (row) => row.gpid),
  ppid: (items, context) => pidTest(items, context, (row) => row.parent),
  pgrp: (items, context) => pidTest(items, context, (row) => row.cluster('pgrp')),
  session: (items, context) => pidTest(items, context, (row) => row.cluster('session')),
  command: commandTest,
  tty: ttyTest,
  effectiveUser: (items) => nameTest(items, 'euser', 'euid'),
  realUser: (items) => nameTest(items, 'ruser', 'ruid'),
  effectiveGroup: (items) => nameTest(items, 'egroup', 'egid'),
  realGroup: (items) => nameTest(items, 'rgroup', 'rgid'),
};

function pidTest(items: readonly string[], context: ProcessNameContext, pidOf: (row: Row) => number | null): Test {
  const wanted = new Set<number | null>(items.map((item) => parseProcessName(item, context).gpid));
  return (row) => wanted.has(pidOf(row));
}

/** By name as the node has it, or by number. */
function nameTest(items: readonly string[], name: RawColumn, id: RawColumn): Test {
  const wanted = new Set(items);
  return (row) => wanted.has(row.text(name) ?? '') || wanted.has(String(row.number(id)));
}

/** The kernel keeps 15 bytes of a name: a longer one matches by its beginning. */
function commandTest(items: readonly string[]): Test {
  return (row) => {
    const comm = row.text('comm');
    if (comm === null) return false;
    return items.some((item) => item === comm || (comm.length === 15 && item.length >= 15 && item.startsWith(comm)));
  };
}

/** `pts/3`, `/dev/pts/3`, `3` (pts/3 or tty3), `-` and `?` for none. */
function ttyTest(items: readonly string[]): Test {
  const names = new Set<string>();
  for (const item of items) {
    const name = item.replace(/^\/dev\//, '');
    if (name === '-' || name === '?') names.add('?');
    else for (const prefix of ['pts/', '', 'tty', 'pty']) names.add(prefix + name);
    if (name === 'co') names.add('console');
  }
  return (row) => names.has(row.text('tty') ?? '');
}

function ownTtyTest(rows: readonly Row[], caller: Caller): Test {
  const tty = rows.find((row) => row.gpid === caller.gpid)?.text('tty') ?? undefined;
  return (row) => row.node.id === caller.node && row.text('tty') === tty;
}
