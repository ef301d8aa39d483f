/**
 * One row of the table: a process of a node, with the cells that its node sent, or an ended managed process, of which only its record is
 * left. PIDs are cluster PIDs from here on.
 */
import { toGpid } from '../../src/ids/gpid.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { ManagedProcess, ProcessTable, RawColumn, RawRow, RawValue } from '../../src/protocol/process.ts';

/** `both`: a row that stands for a process, or for a thread as if it were one. */
export type Line = 'both' | 'process' | 'thread';

export type ColumnIndex = Readonly<Partial<Record<RawColumn, number>>>;

/** Something that the process holds or waits for, as the store has it. */
export interface RowClaim {
  /** `lock:build`. */
  readonly what: string;
  readonly state: 'holds' | 'waits';
  /** Its fencing token. */
  readonly token: bigint;
}

export class Row {
  readonly node: NodeSpec;
  readonly table: ProcessTable;
  /** The record where nsh runs, or ran, this process. */
  readonly managed: ManagedProcess | undefined;
  /** The process has ended, and only its record is left. */
  readonly ended: boolean;
  /** What a tree draws before the command. */
  branch = '';
  /** Where threads are shown below their process: whether this line is the process's or a thread's. */
  line: Line = 'both';
  /** Undefined where nobody asked the store, or it did not say. */
  claims: readonly RowClaim[] | undefined;
  private readonly index: ColumnIndex;
  private readonly cells: RawRow;

  constructor(
    node: NodeSpec,
    table: ProcessTable,
    index: ColumnIndex,
    cells: RawRow,
    managed: ManagedProcess | undefined,
    ended = false,
  ) {
    this.node = node;
    this.table = table;
    this.index = index;
    this.cells = cells;
    this.managed = managed;
    this.ended = ended;
  }

  raw(column: RawColumn): RawValue {
    const at = this.index[column];
    return at === undefined ? null : (this.cells[at] ?? null);
  }

  // One look-up each, not by way of raw(): a large cluster's ps reads a hundred thousand cells.
  number(column: RawColumn): number | null {
    const at = this.index[column];
    const value = at === undefined ? null : this.cells[at];
    return typeof value === 'number' ? value : null;
  }

  text(column: RawColumn): string | null {
    const at = this.index[column];
    const value = at === undefined ? null : this.cells[at];
    return typeof value === 'string' ? value : null;
  }

  list(column: RawColumn): readonly string[] | null {
    const at = this.index[column];
    const value = at === undefined ? null : this.cells[at];
    return typeof value === 'object' ? value : null;
  }

  get pid(): number {
    return this.number('pid') ?? 0;
  }

  /** Cluster PID. */
  get gpid(): number {
    return toGpid(this.node.id, this.pid);
  }

  /** Local thread id; the PID for the first thread, and where nobody asked for threads. */
  get tid(): number {
    return this.number('tid') ?? this.pid;
  }

  /** The thread's number in the cluster: threads and processes of a node share their numbers, so it is spelled as a PID. */
  get threadGpid(): number {
    return toGpid(this.node.id, this.tid);
  }

  /** The same row as a line of its own. */
  as(line: Line): Row {
    const row = new Row(this.node, this.table, this.index, this.cells, this.managed, this.ended);
    row.line = line;
    row.claims = this.claims;
    return row;
  }

  /** A PID-like number of this row as a cluster PID; -1 and 0 stay what they are. */
  cluster(column: RawColumn): number | null {
    const value = this.number(column);
    return value === null || value <= 0 ? value : toGpid(this.node.id, value);
  }

  /**
   * The parent: for a process that was started from another node, its starter there; 0 where that was a machine outside the cluster.
   * For others the kernel's. Nobody but this machine starts what runs on node 0.
   */
  get parent(): number | null {
    const starter = this.managed?.starter.gpid;
    if (starter !== undefined && starter !== 0 && !isOfNode(starter, this.node.id)) return starter;
    if (starter === 0 && this.node.id !== 0) return 0;
    return this.cluster('ppid');
  }

  /** Unix time of the start in ms; for ordering across nodes. */
  get startedMs(): number {
    const ticks = this.number('start');
    if (ticks === null) return this.managed?.startedAtMs ?? 0;
    return this.table.nowMs - this.table.uptimeSeconds * 1000 + ticks * 10;
  }
}

function isOfNode(gpid: number, node: number): boolean {
  return Math.floor(gpid / 10_000_000) === node;
}

export interface NodeTable {
  readonly node: NodeSpec;
  readonly table: ProcessTable;
}

/** Rows of one node's table, then its ended managed processes. */
export function tableRows({ node, table }: NodeTable): Row[] {
  const index = indexOf(table.columns);
  const managed = new Map<number, ManagedProcess>();
  const ended: ManagedProcess[] = [];
  for (const process of table.managed) {
    if (process.exit === undefined && process.boot === table.boot) managed.set(process.pid, process);
    else ended.push(process);
  }
  const pidAt = index.pid ?? 0;
  const rows = table.rows.map((cells) => new Row(node, table, index, cells, managed.get(Number(cells[pidAt]))));
  for (const process of ended.sort((a, b) => a.startedAtMs - b.startedAtMs)) rows.push(endedRow(node, table, process));
  return rows;
}

const endedColumns: readonly RawColumn[] = ['pid', 'comm', 'args'];

function endedRow(node: NodeSpec, table: ProcessTable, process: ManagedProcess): Row {
  const comm = (process.argv[0] ?? '').replace(/^.*\//, '').slice(0, 15);
  return new Row(node, table, indexOf(endedColumns), [process.pid, comm, process.argv], process, true);
}

function indexOf(columns: readonly RawColumn[]): ColumnIndex {
  return Object.fromEntries(columns.map((column, i) => [column, i]));
}
