/** Process tables made by hand, for clusters that no machine here is. */
import type { ManagedProcess, ProcessTable, RawColumn, RawValue } from '../../../src/protocol/process.ts';
import type { PsCall } from './fake-cluster.ts';

export type RawProcess = Partial<Record<RawColumn, RawValue>> & { readonly pid: number };

export const boot = 'b0000000-0000-4000-8000-000000000000-1';

const defaults: Partial<Record<RawColumn, RawValue>> = {
  ppid: 1,
  pgrp: 1,
  session: 1,
  tpgid: -1,
  tty: '?',
  state: 'S',
  euser: 'root',
  euid: 0,
  ruser: 'root',
  ruid: 0,
  egroup: 'root',
  egid: 0,
  start: 100,
  utime: 0,
  stime: 0,
  cutime: 0,
  cstime: 0,
  nice: 0,
  priority: 20,
  policy: 0,
  numThreads: 1,
  vsizeBytes: 4096 * 1024,
  rssKb: 1024,
  lockedKb: 0,
  flags: 0,
};

/** Answers as an agent does: the columns asked for, the managed processes or all, the PIDs asked for. */
export function tableOf(processes: readonly RawProcess[], managed: readonly ManagedProcess[] = []) {
  return (params: PsCall): ProcessTable => {
    const living = new Set(managed.filter(({ exit }) => exit === undefined).map(({ pid }) => pid));
    const rows = processes
      .filter(({ pid }) => params.select === 'all' || living.has(pid))
      .filter(({ pid }) => params.pids === undefined || params.pids.includes(pid))
      .map((process) => params.columns.map((column) => process[column] ?? defaults[column] ?? null));
    return {
      boot,
      nowMs: Date.UTC(2026, 0, 2, 12),
      uptimeSeconds: 86_400,
      bootSeconds: Date.UTC(2026, 0, 1, 12) / 1000,
      memTotalKb: 1024 * 1024,
      cpus: 4,
      pageBytes: 4096,
      columns: params.columns,
      rows,
      managed: managed.filter(({ exit }) => exit === undefined || params.ended === true),
    };
  };
}

export function managedProcess(
  pid: number,
  starter: ManagedProcess['starter'],
  more: Partial<ManagedProcess> = {},
): ManagedProcess {
  return {
    pid,
    start: 100,
    boot,
    argv: ['work'],
    cwd: '/',
    io: 'pty',
    starter,
    startedAtMs: Date.UTC(2026, 0, 1, 12),
    onDisconnect: 'keep',
    keepBytes: 0,
    out: { base: 0, end: 0, closed: false },
    clients: 0,
    shim: { id: 's1', socket: '/run/shim' },
    ...more,
  };
}
