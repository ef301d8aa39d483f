import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescriptorCache } from '../../../agent/procfs/descriptors.ts';
import { nodeInfo, processGroupMembers, ProcessScanner } from '../../../agent/procfs/index.ts';
import { bootIdentity, readStart } from '../../../src/cluster/this-machine.ts';
import { rawColumns, type ManagedProcess, type ProcessTable, type RawColumn } from '../../../src/protocol/process.ts';
import { startSamples, until, type Samples } from '../../shell/ps/sample-processes.ts';

let samples: Samples;
const scanner = new ProcessScanner();
const children: ChildProcess[] = [];

beforeAll(async () => {
  samples = await startSamples();
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(endChild));
});
afterAll(async () => {
  await samples.close();
  scanner.close();
});

function startSleep(): ChildProcess & { pid: number } {
  const child = spawn('/bin/sleep', ['300'], { stdio: 'ignore' });
  if (child.pid === undefined) throw new Error('cannot start sleep');
  children.push(child);
  return child as ChildProcess & { pid: number };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function column(table: ProcessTable, name: RawColumn): unknown[] {
  const at = table.columns.indexOf(name);
  return table.rows.map((row) => row[at]);
}

function procps(format: string): string[] {
  const args = ['--no-headers', '-o', format, '-p', samples.pids.join(',')];
  const output = execFileSync('ps', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
}

describe('a scan', () => {
  it.each([
    ['pid', 'pid'],
    ['ppid', 'ppid'],
    ['pgrp', 'pgid'],
    ['session', 'sid'],
    ['tpgid', 'tpgid'],
    ['state', 's'],
    ['priority', 'priority'],
    ['numThreads', 'nlwp'],
    ['rssKb', 'rss'],
    ['euid', 'euid'],
    ['ruid', 'ruid'],
    ['rgid', 'rgid'],
    ['euser', 'euser:40'],
    ['ruser', 'ruser:40'],
    ['rgroup', 'rgroup:40'],
    ['tty', 'tty'],
    ['wchan', 'wchan:60'],
    ['sigBlocked', 'blocked:16'],
    ['sigCaught', 'caught:16'],
    ['minflt', 'minflt'],
    ['oomScore', 'oom'],
    ['pidNs', 'pidns'],
    ['netNs', 'netns'],
    ['exe', 'exe'],
  ] as const)('%s is what procps shows as %s', (raw, format) => {
    const table = scanner.scan({ columns: ['pid', raw], pids: samples.pids });
    const ours = column(table, raw).map((value) => showValue(value));
    expect(ours).toEqual(procps(format));
  });

  it('gives a column the same value whether it is asked for alone or with all others', () => {
    const { long = 0 } = samples.named;
    // What a process shares with others changes as they come and go.
    const shared: ReadonlySet<RawColumn> = new Set(['pssKb', 'ussKb', 'rssKb']);
    const all = scanner.scan({ columns: rawColumns, pids: [long] });
    const seen = (table: ProcessTable, name: RawColumn) =>
      column(table, name).map((value) => (shared.has(name) ? Number(value) > 0 : value));
    for (const name of rawColumns) {
      const alone = scanner.scan({ columns: [name], pids: [long] });
      expect([name, ...seen(alone, name)]).toEqual([name, ...seen(all, name)]);
    }
  });

  it('lists the processes that procps lists', () => {
    const table = scanner.scan({ columns: ['pid', 'args'] });
    const listed = new Set(column(table, 'pid'));
    expect(samples.pids.every((pid) => listed.has(pid))).toBe(true);
    expect(listed.has(1) && listed.has(process.pid)).toBe(true);
  });

  it('gives argv as a list, empty arguments within it too, and null where there is none', () => {
    const { long = 0, empty = 0, zombieParent = 0, control = 0 } = samples.named;
    const args = (pid: number) => column(scanner.scan({ columns: ['pid', 'args'], pids: [pid] }), 'args')[0];
    expect(args(long)).toHaveLength(61);
    expect(args(empty)).toEqual(['', '300']);
    expect(args(control)).toEqual(['evil\x1b[31m\x07\ttitle\nnext', '300']);
    const zombie = samples.pids.find((pid) => {
      const [ppid] = column(scanner.scan({ columns: ['ppid'], pids: [pid] }), 'ppid');
      return ppid === zombieParent;
    });
    expect(args(zombie ?? 0)).toBeNull();
  });

  it('cuts a command line of more than 128 KiB and says so', async () => {
    const child = spawn('/bin/sleep', ['300', ...Array.from({ length: 4000 }, () => `0.${'0'.repeat(60)}`)], {
      stdio: 'ignore',
    });
    children.push(child);
    await until(() => procLink(child.pid ?? 0), 'exec');
    const [args] = column(scanner.scan({ columns: ['args'], pids: [child.pid ?? 0] }), 'args');
    const text = (args as string[]).join(' ');
    expect(text.length).toBe(128 * 1024 + 1);
    expect(text.endsWith('…')).toBe(true);
  });

  it('can read every raw column', () => {
    const table = scanner.scan({ columns: rawColumns, pids: [process.pid, 1] });
    const own = table.rows.find((row) => row[0] === process.pid);
    const missing = rawColumns.filter((_, i) => own?.[i] === undefined);
    expect(missing).toEqual([]);
    const unknown = rawColumns.filter((_, i) => own?.[i] === null);
    // what some kernels do not have
    expect(
      unknown.filter((name) => !['label', 'autogroupId', 'autogroupNice', 'loginUid', 'groupNames'].includes(name)),
    ).toEqual([]);
  });

  it('says which machine and boot it was', () => {
    const table = scanner.scan({ columns: ['pid'], pids: [process.pid] });
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(process.pid)], { encoding: 'utf8' });
    expect(table.boot).toBe(bootIdentity());
    expect(table.boot).toMatch(/^[0-9a-f-]{36}-\d+$/);
    const start = (table.bootSeconds ?? 0) + Math.trunc((readStart(process.pid) ?? 0) / 100);
    expect(start * 1000).toBe(Date.parse(started.trim()));
    expect(table.memTotalKb).toBe(nodeInfo().memTotalKb);
    expect([table.pageBytes, table.cpus > 0]).toEqual([4096, true]);
  });
});

describe('between scans', () => {
  it('nothing stale is told: a process that ended is gone, a new one is there', async () => {
    const child = startSleep();
    expect(scanner.scan({ columns: ['pid'], pids: [child.pid] }).rows).toHaveLength(1);
    await endChild(child);
    expect(scanner.scan({ columns: ['pid'], pids: [child.pid] }).rows).toHaveLength(0);
    const next = startSleep();
    expect(column(scanner.scan({ columns: ['pid'] }), 'pid')).toContain(next.pid);
  });

  it('a change of a living process is seen', async () => {
    const child = startSleep();
    const nice = () => column(scanner.scan({ columns: ['nice', 'state'], pids: [child.pid] }), 'nice')[0];
    expect(nice()).toBe(0);
    execFileSync('renice', ['-n', '5', '-p', String(child.pid)], { stdio: 'ignore' });
    expect(nice()).toBe(5);
    process.kill(child.pid, 'SIGSTOP');
    await until(() => column(scanner.scan({ columns: ['state'], pids: [child.pid] }), 'state')[0] === 'T', 'the stop');
  });

  it('an exec is seen through descriptors that were open before it', async () => {
    const child = spawn('/bin/sh', ['-c', 'read go; exec sleep 300'], { stdio: ['pipe', 'ignore', 'ignore'] });
    children.push(child);
    const pids = [child.pid ?? 0];
    const look = () => scanner.scan({ columns: ['comm', 'args'], pids }).rows[0];
    await until(() => look()?.[0] === 'sh', 'sh');
    child.stdin.write('\n');
    await until(() => look()?.[0] === 'sleep', 'exec');
    expect(look()?.[1]).toEqual(['sleep', '300']);
  });

  it('descriptors are kept for a bounded number of processes and closed with the rest', async () => {
    const openCount = () => readdirSync('/proc/self/fd').length;
    const before = openCount();
    const cache = new DescriptorCache(2);
    const own = Array.from({ length: 4 }, startSleep);
    const read = () => own.map(({ pid }) => cache.with(pid, (files) => files.read('stat', 4096).length > 0));
    expect([read(), read()].flat()).toEqual(Array(8).fill(true));
    expect(cache.size).toBe(2);
    expect(openCount()).toBe(before + 4);
    await endChild(own[0] as ChildProcess);
    expect(read()).toEqual([undefined, true, true, true]);
    cache.keepOnly(new Set());
    expect([cache.size, openCount()]).toEqual([0, before]);
  });

  it('a scanner that may keep nothing answers the same', () => {
    const columns: RawColumn[] = ['pid', 'comm', 'args', 'euser', 'ruid', 'tty'];
    const bare = new ProcessScanner(0);
    const request = { columns, pids: samples.pids };
    expect(bare.scan(request).rows).toEqual(scanner.scan(request).rows);
  });
});

describe('managed processes', () => {
  const record = (pid: number, more: Partial<ManagedProcess> = {}): ManagedProcess =>
    ({ pid, start: readStart(pid) ?? 0, boot: bootIdentity(), argv: ['x'], ...more }) as ManagedProcess;

  it('are all that is read where only they are asked for, and come back with the rows', () => {
    const { plain = 0, stopped = 0 } = samples.named;
    const managed = [record(plain), record(stopped, { exit: { code: 0, signal: null, atMs: 1 } })];
    const table = scanner.scan({ columns: ['pid'], select: 'managed' }, managed);
    expect([column(table, 'pid'), table.managed]).toEqual([[plain], [managed[0]]]);
    const withEnded = scanner.scan({ columns: ['pid'], select: 'managed', ended: true }, managed);
    expect([column(withEnded, 'pid'), withEnded.managed]).toEqual([[plain], managed]);
  });

  it('are told apart from another process with the same number', () => {
    const { plain = 0 } = samples.named;
    const other = record(plain, { start: 1 });
    expect(scanner.scan({ columns: ['pid'], select: 'managed' }, [other]).rows).toEqual([]);
    const all = scanner.scan({ columns: ['pid'], pids: [plain] }, [other]);
    expect([all.rows.length, all.managed.length]).toEqual([1, 0]);
  });
});

it('finds the members of a process group', () => {
  const { tree = 0 } = samples.named;
  const expected = execFileSync('pgrep', ['-g', String(tree)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  expect(processGroupMembers(tree).map(({ pid }) => pid)).toEqual(expected);
  expect(expected).toHaveLength(5);
});

it('tells what it knows of the machine', () => {
  const info = nodeInfo();
  expect(info.hostname).toBe(execFileSync('uname', ['-n'], { encoding: 'utf8' }).trim());
  expect(info.kernel).toBe(execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
  expect(info.memAvailableKb).toBeGreaterThan(0);
  expect(info.processes).toBeGreaterThan(5);
  expect(readStart(4_194_304)).toBeUndefined();
});

it('prints what a scan costs', () => {
  const columns: RawColumn[] = ['pid', 'ppid', 'comm', 'state', 'euser', 'tty', 'args', 'utime', 'stime', 'start'];
  // Of the processor, not of the clock: others may have it meanwhile.
  const times: number[] = [];
  let rows = 0;
  for (let i = 0; i < 50; i++) {
    const before = process.cpuUsage();
    rows = scanner.scan({ columns }).rows.length;
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  const median = times.sort((a, b) => a - b)[25] ?? 0;
  console.log(
    `scan of ${rows} processes: median ${median.toFixed(2)} ms, ${((median / rows) * 1000).toFixed(1)} ms for 1,000`,
  );
  expect(median / rows).toBeLessThan(0.5);
});

function procLink(pid: number): boolean {
  const [comm] = column(scanner.scan({ columns: ['comm'], pids: [pid] }), 'comm');
  return comm === 'sleep';
}

function showValue(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).replace('\n', '?') : '-';
}
