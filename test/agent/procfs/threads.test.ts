/** Rows for threads, held against /proc and procps, and what they leave open: nothing. */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProcessScanner } from '../../../agent/procfs/index.ts';
import { parseCpuList } from '../../../agent/procfs/numa.ts';
import { listThreads } from '../../../agent/procfs/threads.ts';
import { bootIdentity, readStart } from '../../../src/cluster/this-machine.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import { startThreadedProcess, type ThreadedProcess } from '../../shell/ps/threaded-process.ts';

const scanner = new ProcessScanner();
let sample: ThreadedProcess;

beforeAll(async () => {
  sample = await startThreadedProcess();
});
afterAll(async () => {
  await sample.close();
  scanner.close();
});

describe('a scan of threads', () => {
  it('has a row for each, the first one first', () => {
    const { rows } = scanner.scan({ columns: ['pid', 'tid', 'comm'], pids: [sample.pid], threads: true });
    const [, ...others] = sample.tids;
    expect(rows.slice(1)).toEqual(others.map((tid) => [sample.pid, tid, `thread-${tid}`]));
    expect(rows[0]?.slice(0, 2)).toEqual([sample.pid, sample.pid]);
  });

  it('has what procps shows of them', () => {
    const columns = ['tid', 'numThreads', 'minflt', 'rssKb', 'sigBlocked', 'euser', 'ruid', 'start', 'args'] as const;
    const { rows, bootSeconds = 0 } = scanner.scan({ columns, pids: [sample.pid], threads: true });
    const ours = rows.map((row) =>
      columns.map((name, i) => {
        const cell = row[i] ?? null;
        if (name === 'start') return String(bootSeconds + Math.trunc(Number(cell) / 100));
        return Array.isArray(cell) ? cell.join(' ') : String(cell);
      }),
    );
    const format = 'tid=,nlwp=,minflt=,rss=,blocked:16=,euser:20=,ruid=,lstart=,args=';
    const text = execFileSync('ps', ['-L', '-o', format, '--cols', '500', '-p', String(sample.pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    });
    const theirs = text
      .trim()
      .split('\n')
      .map((line) => {
        const [, cells = '', start = '', args = ''] = /^(.*?) +(\w{3} \w{3} +\d+ [\d:]+ \d+) (.*)$/.exec(line) ?? [];
        return [...cells.trim().split(/\s+/), String(Date.parse(`${start} UTC`) / 1000), args];
      });
    expect(ours).toEqual(theirs);
  });

  it('has one row for a process without others', async () => {
    const child = spawn('/bin/sleep', ['300'], { stdio: 'ignore' });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const { pid = 0 } = child;
    const { rows } = scanner.scan({ columns: ['pid', 'tid'], pids: [pid], threads: true });
    child.kill('SIGKILL');
    await gone;
    expect(rows).toEqual([[pid, pid]]);
  });

  it('has none where a process has gone', () => {
    expect(listThreads('/proc/4194303/task')).toEqual([]);
  });

  it('belongs to the managed process that the threads are of', () => {
    const record = { pid: sample.pid, start: readStart(sample.pid) ?? 0, boot: bootIdentity(), argv: ['x'] };
    const managed = [record as ManagedProcess];
    const table = scanner.scan({ columns: ['tid'], select: 'managed', threads: true }, managed);
    expect([table.rows.length, table.managed]).toEqual([sample.tids.length, managed]);
  });

  it('leaves no descriptor of a thread open', () => {
    scanner.scan({ columns: ['pid', 'tid', 'args', 'ruid'], threads: true });
    expect(
      readdirSync('/proc/self/fd')
        .map(target)
        .filter((path) => path.includes('/task/')),
    ).toEqual([]);
  });
});

describe('without being asked for threads a scan', () => {
  it('has one row for each process', () => {
    const { rows } = scanner.scan({ columns: ['pid', 'tid'], pids: [sample.pid] });
    expect(rows).toEqual([[sample.pid, sample.pid]]);
  });

  it('does not take the number of a thread for a process', () => {
    expect(scanner.scan({ columns: ['pid'], pids: sample.tids }).rows).toEqual([[sample.pid]]);
    expect(scanner.scan({ columns: ['pid'], pids: sample.tids.slice(1), threads: true }).rows).toEqual([]);
  });
});

it('numaNode is the node that the kernel links the processor to', () => {
  const { rows } = scanner.scan({ columns: ['processor', 'numaNode'], pids: [sample.pid] });
  const [processor = null, node = null] = rows[0] ?? [];
  const linked = readdirSync(`/sys/devices/system/cpu/cpu${Number(processor)}`).find((name) => /^node\d+$/.test(name));
  expect(node).toBe(linked === undefined ? -1 : Number(linked.slice(4)));
});

it('reads lists of processors', () => {
  expect(parseCpuList('0-3,8,10-11\n')).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(parseCpuList('\n')).toEqual([]);
});

function target(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ''; // the directory that is being read
  }
}
