/** The processes of all nodes that match: what pgrep prints and pkill signals. */
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { CommandContext } from '../../command.ts';
import { collectTables, nodesOn } from '../collect.ts';
import { commandLine } from '../columns/identity.ts';
import { findCaller } from '../caller.ts';
import { tableRows, type Row } from '../row.ts';
import { isKernels } from '../select.ts';
import type { MatchQuery } from './criteria.ts';
import { namespaceColumns, namespaceTest } from './namespaces.ts';

const always: readonly RawColumn[] = ['pid', 'ppid', 'pgrp', 'session', 'start', 'state', 'comm'];
/** Costly columns, asked for only where an option looks at them. */
const optional: readonly (readonly [option: string, columns: readonly RawColumn[]])[] = [
  ['full', ['args']],
  ['list-full', ['args']],
  ['euid', ['euser', 'euid']],
  ['uid', ['ruser', 'ruid']],
  ['group', ['rgroup', 'rgid']],
  ['terminal', ['tty']],
  ['cgroup', ['cgroup']],
  ['ns', namespaceColumns],
  ['lightweight', ['tid']],
];

export interface Found {
  readonly rows: readonly Row[];
  /** A node did not answer, and has been named on stderr. */
  readonly incomplete: boolean;
}

/** @param command for messages: `pgrep` or `pkill`. */
export async function findProcesses(context: CommandContext, command: string, query: MatchQuery): Promise<Found> {
  const cluster = await context.cluster();
  const nodes = await nodesOn(cluster, query.on, context.signal);
  const columns = [...always, ...optional.flatMap(([option, needs]) => (query.own.has(option) ? needs : []))];
  const { tables, incomplete } = await collectTables(context, command, nodes, {
    columns,
    select: 'all',
    ...(query.threads ? { threads: true } : {}),
  });
  if (query.tooLong) {
    context.stderr.write(
      `nsh ${command}: pattern that searches for process name longer than 15 characters will result in zero matches\n` +
        `Try 'nsh ${command} -f' option to match against the complete command line.\n`,
    );
  }
  const all = tables.flatMap(tableRows);
  const rows = context.env['LIBPROC_HIDE_KERNEL'] === undefined ? all : all.filter((row) => !isKernels(row));
  return { rows: matchRows(rows, query, findCaller(cluster.self).gpid), incomplete };
}

/** @param caller GPID of this process, which never matches. */
export function matchRows(rows: readonly Row[], query: MatchQuery, caller: number): Row[] {
  const self = rows.find((row) => row.gpid === caller);
  const inNamespaces = query.namespaces === undefined ? undefined : namespaceTest(rows, query.namespaces);
  const ancestors = query.ignoreAncestors ? ancestorsOf(rows, self) : new Set<number>();
  const matching = rows.filter((row) => {
    if (row.gpid === caller || ancestors.has(row.gpid)) return false;
    return (isMatch(row, query, self) && (inNamespaces?.(row) ?? true)) !== query.inverse;
  });
  return query.only === undefined ? matching : onlyOne(matching, query.only);
}

function isMatch(row: Row, { criteria, pattern, full }: MatchQuery, self: Row | undefined): boolean {
  if (!criteria.every((criterion) => criterion(row, self))) return false;
  return pattern === undefined || pattern.test(full ? commandLine(row) : (row.text('comm') ?? ''));
}

function ancestorsOf(rows: readonly Row[], self: Row | undefined): Set<number> {
  const byPid = new Map(rows.map((row) => [row.gpid, row]));
  const ancestors = new Set<number>();
  for (let row = self; row !== undefined; row = byPid.get(row.parent ?? 0)) {
    const parent = row.parent ?? 0;
    if (ancestors.has(parent)) break;
    ancestors.add(parent);
  }
  return ancestors;
}

/** Of those started at the same moment the highest PID is the newest. */
function onlyOne(rows: readonly Row[], only: 'newest' | 'oldest'): Row[] {
  const sign = only === 'newest' ? -1 : 1;
  const [first] = [...rows].sort((a, b) => sign * (startOrder(a, b) || a.threadGpid - b.threadGpid));
  return first === undefined ? [] : [first];
}

function startOrder(a: Row, b: Row): number {
  if (a.node === b.node) return (a.number('start') ?? 0) - (b.number('start') ?? 0);
  return a.startedMs - b.startedMs;
}
