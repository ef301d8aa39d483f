/**
 * The process table of this node. Every cell that a request asks for is read anew from /proc when it asks; between requests only open
 * descriptors and names of users are kept. Synchronous: a scan is one moment, and fs.promises costs ten times as much here.
 */
import type { PsParams } from '../../src/protocol/control.ts';
import type { ManagedProcess, ProcessTable, RawColumn, RawRow } from '../../src/protocol/process.ts';
import { bootIdentity } from '../../src/cluster/this-machine.ts';
import { bootSeconds, uptimeSeconds } from './boot.ts';
import {
  cellReader,
  lastStatField,
  ownerColumns,
  statusColumns,
  type CellReader,
  type ScanContext,
} from './column-readers.ts';
import { DescriptorCache, type ProcessFiles } from './descriptors.ts';
import { listPids, pageBytes, processorCount, readMemory } from './machine.ts';
import { NameTable } from './names.ts';
import { ProcessSources, type Wants } from './sources.ts';
import { statField } from './stat-line.ts';
import { statusNumber } from './status-file.ts';
import { SystemdUnits } from './systemd-units.ts';
import { listThreads, withThread } from './threads.ts';
import { TtyNames } from './tty-names.ts';

/** How long an answer waits for names that only a directory service knows. */
const nameWaitMs = 250;

/** As `ps` of the protocol has it. */
export interface ScanRequest {
  readonly columns: readonly RawColumn[];
  /** Default `all`. */
  readonly select?: PsParams['select'];
  readonly ended?: boolean | undefined;
  /** Only these. */
  readonly pids?: readonly number[] | undefined;
  /** A row for each thread. */
  readonly threads?: boolean | undefined;
}

interface Plan {
  readonly readers: readonly CellReader[];
  readonly wants: Wants;
  readonly context: ScanContext;
  /** Start ticks of the managed processes: rows with another start are another process. */
  readonly onlyStarts: ReadonlyMap<number, number> | undefined;
  /** A row for each thread: their directories are listed and their files opened only then. */
  readonly threads: boolean;
  /** PIDs were named: /proc answers to the number of a thread too, though it does not list it. */
  readonly named: boolean;
}

interface Read {
  readonly row: RawRow;
  readonly start: number;
  /** Rows of the threads besides the first. */
  readonly threads: readonly RawRow[] | undefined;
}

export class ProcessScanner {
  private readonly descriptors: DescriptorCache;
  private readonly users = new NameTable('passwd');
  private readonly groups = new NameTable('group');
  private readonly sources = new ProcessSources();

  /** @param maxKeptProcesses default: as many as half of RLIMIT_NOFILE allows, at most 4,000. */
  constructor(maxKeptProcesses?: number) {
    this.descriptors = maxKeptProcesses === undefined ? new DescriptorCache() : new DescriptorCache(maxKeptProcesses);
  }

  /**
   * @param managed every managed process of this node, ended ones included. Those among the rows come back in the table, and ended ones
   *   where the request asks for them.
   */
  scan(request: ScanRequest, managed: readonly ManagedProcess[] = []): ProcessTable {
    const uptime = uptimeSeconds();
    const nowMs = Date.now();
    const boot = bootIdentity();
    const living = managed.filter((process) => process.exit === undefined && process.boot === boot);
    const starts = new Map<number, number>();
    const rows = this.readRows(request, living, starts);
    return {
      boot,
      nowMs,
      uptimeSeconds: uptime,
      memTotalKb: readMemory().totalKb,
      cpus: processorCount(),
      pageBytes: pageBytes(),
      bootSeconds: bootSeconds(nowMs, uptime),
      columns: request.columns,
      rows,
      managed: [
        ...living.filter((process) => starts.get(process.pid) === process.start),
        ...(request.ended === true ? endedOnes(managed, boot, request.pids) : []),
      ],
    };
  }

  /** As `scan`, but gives a directory service a moment to tell the names of users that /etc/passwd does not hold. */
  async scanNamed(request: ScanRequest, managed: readonly ManagedProcess[] = []): Promise<ProcessTable> {
    const table = this.scan(request, managed);
    if (!this.users.pending && !this.groups.pending) return table;
    let timer: NodeJS.Timeout | undefined;
    const settled = Promise.all([this.users.settled(), this.groups.settled()]);
    await Promise.race([settled, new Promise((resolve) => (timer = setTimeout(resolve, nameWaitMs)))]);
    clearTimeout(timer);
    return this.scan(request, managed);
  }

  /** Lets go of every descriptor. The scanner can be used again. */
  close(): void {
    this.descriptors.close();
  }

  private readRows(request: ScanRequest, living: readonly ManagedProcess[], starts: Map<number, number>): RawRow[] {
    const onlyManaged = request.select === 'managed';
    const plan = this.plan(request, onlyManaged ? startsOf(living) : undefined);
    const rows: RawRow[] = [];
    for (const pid of this.pidsOf(request, plan)) {
      const read = this.readProcess(pid, plan);
      if (read === undefined) continue;
      rows.push(read.row);
      if (read.threads !== undefined) rows.push(...read.threads);
      starts.set(pid, read.start);
    }
    return rows;
  }

  private pidsOf(request: ScanRequest, plan: Plan): readonly number[] {
    const { pids } = request;
    if (plan.onlyStarts !== undefined) {
      const listed = [...plan.onlyStarts.keys()];
      return (pids === undefined ? listed : listed.filter((pid) => pids.includes(pid))).sort((a, b) => a - b);
    }
    if (pids !== undefined) return [...new Set(pids)].sort((a, b) => a - b);
    const all = listPids();
    this.descriptors.keepOnly(new Set(all));
    return all;
  }

  private plan({ columns, threads = false, pids }: ScanRequest, onlyStarts: Plan['onlyStarts']): Plan {
    this.users.refresh();
    this.groups.refresh();
    return {
      readers: columns.map(cellReader),
      wants: {
        owner: columns.some((column) => ownerColumns.has(column)),
        lastStatField: lastStatField(columns),
      },
      context: {
        users: this.users,
        groups: this.groups,
        ttys: new TtyNames(),
        pageBytes: pageBytes(),
        units: new SystemdUnits(),
        readsStatus: columns.some((column) => statusColumns.has(column)),
      },
      onlyStarts,
      threads,
      named: pids !== undefined,
    };
  }

  private readProcess(pid: number, plan: Plan): Read | undefined {
    const { sources } = this;
    try {
      return this.descriptors.with(pid, (files) => {
        if (!sources.begin(files, plan.wants)) return undefined;
        const start = sources.stat.fields[statField.start] ?? 0;
        const wanted = plan.onlyStarts?.get(pid);
        if (wanted !== undefined && wanted !== start) return undefined;
        if (plan.named && isLesserThread(sources)) return undefined;
        const row = plan.readers.map((read) => read(sources, plan.context));
        return { row, start, threads: plan.threads ? this.readThreads(files, plan) : undefined };
      });
    } catch {
      return undefined; // what may not be looked at (hidepid) is left out, as procps leaves it out
    }
  }

  /** All but the first thread, whose row is the process's. */
  private readThreads(process: ProcessFiles, plan: Plan): RawRow[] {
    const { sources } = this;
    if (!hasThreads(sources)) return [];
    const rows: RawRow[] = [];
    for (const tid of listThreads(process.path('task'))) {
      if (tid === process.pid) continue;
      const row = withThread(process, tid, (files) =>
        sources.begin(files, plan.wants) ? plan.readers.map((read) => read(sources, plan.context)) : undefined,
      );
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }
}

function hasThreads(sources: ProcessSources): boolean {
  return (sources.stat.fields[statField.numThreads] ?? 0) > 1;
}

/** Its number is that of a thread, and no process's. */
function isLesserThread(sources: ProcessSources): boolean {
  return hasThreads(sources) && statusNumber(sources.kept('status') ?? '', 'Tgid') !== sources.pid;
}

function startsOf(processes: readonly ManagedProcess[]): Map<number, number> {
  return new Map(processes.map((process) => [process.pid, process.start]));
}

function endedOnes(
  managed: readonly ManagedProcess[],
  boot: string,
  pids: readonly number[] | undefined,
): ManagedProcess[] {
  return managed.filter(
    (process) =>
      (process.exit !== undefined || process.boot !== boot) && (pids === undefined || pids.includes(process.pid)),
  );
}
