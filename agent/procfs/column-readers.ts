/**
 * Raw column → how its cell is read. A new raw column goes into src/protocol/process.ts and here. A cell is null where the node cannot
 * know it: not permitted, or a kernel without it.
 */
import type { RawColumn, RawValue } from '../../src/protocol/process.ts';
import type { NameTable } from './names.ts';
import { numaNodeOf } from './numa.ts';
import { statField, type StatColumn } from './stat-line.ts';
import { statusNumber, statusText } from './status-file.ts';
import type { ProcessSources } from './sources.ts';
import type { SystemdUnits, UnitNames } from './systemd-units.ts';
import type { TtyNames } from './tty-names.ts';

export interface ScanContext {
  readonly users: NameTable;
  readonly groups: NameTable;
  readonly ttys: TtyNames;
  readonly pageBytes: number;
  readonly units: SystemdUnits;
  /** `status` is read anyway: what could come from a cheaper file comes from there. */
  readonly readsStatus: boolean;
}

export type CellReader = (sources: ProcessSources, context: ScanContext) => RawValue;

/** Columns that need the owner of /proc/PID. */
export const ownerColumns: ReadonlySet<RawColumn> = new Set(['euser', 'euid', 'egroup', 'egid']);

/** Fields of `stat` behind those that every scan looks at (`start` is the last of them), by the columns that need them. */
const statNeeds: Readonly<Partial<Record<RawColumn, number>>> = {
  ...statField,
  pssKb: statField.vsizeBytes,
  ussKb: statField.vsizeBytes,
  numaNode: statField.processor,
};

export function lastStatField(columns: readonly RawColumn[]): number {
  return Math.max(statField.start, ...columns.map((column) => statNeeds[column] ?? 0));
}

const fromStatus = {
  ruid: fromNumber('Uid', 0),
  suid: fromNumber('Uid', 2),
  fsuid: fromNumber('Uid', 3),
  rgid: fromNumber('Gid', 0),
  sgid: fromNumber('Gid', 2),
  fsgid: fromNumber('Gid', 3),
  ruser: userName(0),
  suser: userName(2),
  fsuser: userName(3),
  rgroup: groupName(0),
  sgroup: groupName(2),
  fsgroup: groupName(3),
  groups: fromText('Groups'),
  groupNames: (sources, { groups }) =>
    groupIds(sources)
      ?.map((id) => groups.name(id))
      .join(',') ?? null,
  sigPending: fromText('ShdPnd'),
  sigPendingThread: fromText('SigPnd'),
  sigBlocked: fromText('SigBlk'),
  sigIgnored: fromText('SigIgn'),
  sigCaught: fromText('SigCgt'),
  capEff: fromText('CapEff'),
  lockedKb: memory('VmLck'),
  swapKb: memory('VmSwap'),
  dataKb: memory('VmData'),
  stackKb: memory('VmStk'),
  noNewPrivs: fromNumber('NoNewPrivs'),
  seccomp: fromNumber('Seccomp'),
} satisfies Partial<Record<RawColumn, CellReader>>;

/** Columns for which /proc/PID/status is read. */
export const statusColumns: ReadonlySet<string> = new Set(Object.keys(fromStatus));

const others = {
  pid: (sources) => sources.pid,
  tid: (sources) => sources.tid,
  comm: (sources) => sources.stat.comm,
  state: (sources) => sources.stat.state,
  euid: (sources) => sources.uid,
  euser: (sources, { users }) => users.name(sources.uid),
  egid: (sources) => sources.gid,
  egroup: (sources, { groups }) => groups.name(sources.gid),
  tty: (sources, { ttys }) => ttys.name(sources.stat.fields[statField.ttyNr] ?? 0, sources.pid),
  rssKb: (sources, { readsStatus, pageBytes }) => {
    if (readsStatus) return memory('VmRSS')(sources);
    const pages = sources.kept('statm')?.split(' ', 2)[1];
    return pages === undefined ? null : (Number(pages) * pageBytes) / 1024;
  },
  args: (sources) => sources.args(),
  environ: (sources) => sources.environ(),
  wchan: (sources) => wchanName(sources.small('wchan')),
  cgroup: (sources) => sources.small('cgroup'),
  exe: (sources) => sources.link('exe'),
  cwd: (sources) => sources.link('cwd'),
  root: (sources) => sources.link('root'),
  label: (sources) => /^[\x20-\x7e]+/.exec(sources.small('attr/current') ?? '')?.[0] ?? null,
  loginUid: (sources) => wholeNumber(sources.small('loginuid')),
  oomScore: (sources) => wholeNumber(sources.small('oom_score')),
  oomAdj: (sources) => wholeNumber(sources.small('oom_score_adj')),
  pssKb: (sources) => rollup(sources, 'Pss'),
  ussKb: (sources) => rollup(sources, 'Private_Clean', 'Private_Dirty', 'Private_Hugetlb'),
  ioReadBytes: (sources) => keyed(sources.small('io'), 'read_bytes'),
  ioReadChars: (sources) => keyed(sources.small('io'), 'rchar'),
  ioReadCalls: (sources) => keyed(sources.small('io'), 'syscr'),
  ioWriteBytes: (sources) => keyed(sources.small('io'), 'write_bytes'),
  ioWriteChars: (sources) => keyed(sources.small('io'), 'wchar'),
  ioWriteCalls: (sources) => keyed(sources.small('io'), 'syscw'),
  ioCancelledBytes: (sources) => keyed(sources.small('io'), 'cancelled_write_bytes'),
  pidNs: (sources) => sources.namespace('pid'),
  mntNs: (sources) => sources.namespace('mnt'),
  netNs: (sources) => sources.namespace('net'),
  utsNs: (sources) => sources.namespace('uts'),
  ipcNs: (sources) => sources.namespace('ipc'),
  userNs: (sources) => sources.namespace('user'),
  cgroupNs: (sources) => sources.namespace('cgroup'),
  timeNs: (sources) => sources.namespace('time'),
  numaNode: (sources) => numaNodeOf(sources.stat.fields[statField.processor] ?? 0),
  unit: systemd('unit'),
  userUnit: systemd('userUnit'),
  slice: systemd('slice'),
  machine: systemd('machine'),
  loginSession: systemd('loginSession'),
  sessionOwner: systemd('sessionOwner'),
  autogroupId: (sources) => autogroup(sources, 1),
  autogroupNice: (sources) => autogroup(sources, 2),
} satisfies Partial<Record<RawColumn, CellReader>>;

const readers: Readonly<Partial<Record<RawColumn, CellReader>>> = { ...fromStatus, ...others };

export function cellReader(column: RawColumn): CellReader {
  const reader = readers[column];
  if (reader !== undefined) return reader;
  const field = statField[column as StatColumn];
  return (sources) => sources.stat.fields[field] ?? null;
}

function fromNumber(key: string, position = 0): CellReader {
  return (sources) => {
    const status = sources.kept('status');
    return status === null ? null : statusNumber(status, key, position);
  };
}

/** Sizes are absent for kernel threads and zombies, which have no memory: 0, as procps shows. */
function memory(key: string): (sources: ProcessSources) => number | null {
  return (sources) => {
    const status = sources.kept('status');
    return status === null ? null : (statusNumber(status, key) ?? 0);
  };
}

function fromText(key: string): CellReader {
  return (sources) => {
    const status = sources.kept('status');
    return status === null ? null : (statusText(status, key) ?? null);
  };
}

function userName(position: number): CellReader {
  return (sources, { users }) => {
    const status = sources.kept('status');
    const id = status === null ? null : statusNumber(status, 'Uid', position);
    return id === null ? null : users.name(id);
  };
}

function groupName(position: number): CellReader {
  return (sources, { groups }) => {
    const status = sources.kept('status');
    const id = status === null ? null : statusNumber(status, 'Gid', position);
    return id === null ? null : groups.name(id);
  };
}

function groupIds(sources: ProcessSources): number[] | undefined {
  const status = sources.kept('status');
  const ids = status === null ? undefined : statusText(status, 'Groups');
  return ids === undefined || ids === '' ? undefined : ids.split(/\s+/).map(Number);
}

/** The kernel function that a process waits in, without the marks that some architectures put before it; `-` while it runs. */
function wchanName(text: string | null): string | null {
  if (text === null || text === '') return null;
  return text === '0' ? '-' : text.replace(/^\.?_*/, '');
}

/** A process whose control group may not be read has no unit that could be told. */
function systemd(part: keyof UnitNames): CellReader {
  return (sources, { units }) => {
    const text = sources.small('cgroup');
    return text === null ? null : units.of(text)[part];
  };
}

function wholeNumber(text: string | null): number | null {
  const value = Number.parseInt(text ?? '', 10);
  return Number.isNaN(value) ? null : value;
}

/** `Key: 12 kB` lines. */
function keyed(text: string | null, key: string): number | null {
  const found = new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(text ?? '');
  return found === null ? null : Number(found[1]);
}

/** Sums of smaps_rollup, which cannot be read of processes without memory (kernel threads, zombies): they have 0. */
function rollup(sources: ProcessSources, ...keys: string[]): number | null {
  if (sources.stat.fields[statField.vsizeBytes] === 0) return 0;
  const text = sources.small('smaps_rollup');
  if (text === null || text === '') return null;
  return keys.reduce((sum, key) => sum + (keyed(text, key) ?? 0), 0);
}

function autogroup(sources: ProcessSources, part: 1 | 2): number | null {
  const found = /^\/autogroup-(\d+) nice (-?\d+)/.exec(sources.small('autogroup') ?? '');
  return found === null ? null : Number(found[part]);
}
