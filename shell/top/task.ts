/** One process as `top` shows it, made from a row of its node's table. Pure. */
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { ProcessTable, RawColumn } from '../../src/protocol/process.ts';
import { tableRows, type Row } from '../ps/row.ts';
import { readTicks, tickRates, ticksOf, type TickReading } from './rates.ts';

export interface Task {
  /** One incarnation in the cluster: what is selected stays selected while rows move. */
  readonly key: string;
  readonly node: NodeSpec;
  readonly gpid: number;
  readonly pid: number;
  readonly start: number;
  readonly boot: string;
  /** GPID of the parent, on its node or, for what was started from another one, there; 0: none. */
  readonly parent: number;
  readonly user: string;
  readonly state: string;
  readonly nice: number;
  /** Percent of one processor since the sample before; over its life where there is none. */
  readonly cpu: number;
  /** Percent of the node's memory. */
  readonly memory: number;
  readonly residentKb: number;
  /** Processor time so far, 1/100 s. */
  readonly ticks: number;
  /** argv as one line, or the name in brackets; the line of a session that a bash runs. As the node sent it: not safe for a terminal. */
  readonly command: string;
  /** nsh runs it: it can be attached to. */
  readonly managed: boolean;
}

export const taskColumns: readonly RawColumn[] = [
  'pid',
  'start',
  'ppid',
  'comm',
  'state',
  'nice',
  'utime',
  'stime',
  'rssPages',
  'euser',
  'args',
];

export interface NodeTasks {
  readonly tasks: readonly Task[];
  /** What the next sample is held against. */
  readonly reading: TickReading;
}

export function readTasks(node: NodeSpec, table: ProcessTable, before: TickReading | undefined): NodeTasks {
  const rows = tableRows({ node, table }).filter((row) => !row.ended);
  const reading = readTicks(table, rows);
  const rates = tickRates(before, reading, table);
  return { tasks: rows.map((row) => toTask(row, rates.get(row.pid) ?? 0)), reading };
}

function toTask(row: Row, cpu: number): Task {
  const { node, table, gpid, pid, managed } = row;
  const start = row.number('start') ?? 0;
  const residentKb = ((row.number('rssPages') ?? 0) * table.pageBytes) / 1024;
  return {
    key: `${gpid}@${start}@${table.boot}`,
    node,
    gpid,
    pid,
    start,
    boot: table.boot,
    parent: row.parent ?? 0,
    user: row.text('euser') ?? '?',
    state: row.text('state') ?? '?',
    nice: row.number('nice') ?? 0,
    cpu,
    memory: table.memTotalKb > 0 ? (residentKb / table.memTotalKb) * 100 : 0,
    residentKb,
    ticks: ticksOf(row),
    command: commandOf(row),
    managed: managed !== undefined,
  };
}

function commandOf(row: Row): string {
  const args = row.list('args') ?? [];
  const line = row.managed?.name;
  if (line !== undefined && isSessionBash(args)) return line;
  return args.length === 0 ? `[${row.text('comm') ?? '?'}]` : args.join(' ');
}

/** Its script is nsh's own (session/driver.ts, session/leader.ts); the line that a person has typed is its name. */
function isSessionBash([program, ...args]: readonly string[]): boolean {
  return program === 'bash' && args.slice(0, 3).join(' ') === '--norc --noprofile -c';
}
