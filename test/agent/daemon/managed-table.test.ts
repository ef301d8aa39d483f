import { describe, expect, it } from 'vitest';
import { ManagedTable } from '../../../agent/daemon/managed-table.ts';
import { localPid } from '../../../src/ids/gpid.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';

const exit = { code: 3, signal: null, atMs: 2000 };

function record(pid: number, start: number, more: Partial<ManagedProcess> = {}): ManagedProcess {
  return {
    pid: localPid(pid),
    start,
    boot: 'b1',
    argv: ['sleep'],
    cwd: '/',
    io: 'pipes',
    starter: { gpid: 0, user: 'u', host: 'h' },
    startedAtMs: start * 10,
    onDisconnect: 'keep',
    keepBytes: 0,
    out: { base: 0, end: 0, closed: false },
    clients: 0,
    shim: { id: 's1', socket: '/s1' },
    ...more,
  };
}

describe('ManagedTable', () => {
  it('finds the living incarnation of a number, else the newest, else exactly the one that is named', () => {
    const table = new ManagedTable(10);
    table.put(record(7, 100, { exit }));
    table.put(record(7, 300, { exit }));
    table.put(record(7, 200));
    const pid = localPid(7);
    expect(table.find({ pid })?.start).toBe(200);
    expect(table.find({ pid, start: 100 })?.start).toBe(100);
    expect(table.find({ pid, boot: 'other' })).toBeUndefined();
    table.exited({ pid, start: 200 }, exit);
    expect(table.find({ pid })?.start).toBe(300);
    expect(table.running(7)).toBeUndefined();
    expect(table.runningCount).toBe(0);
  });

  it('does not let a late record revive a process that has ended', () => {
    const table = new ManagedTable(10);
    table.put(record(7, 100));
    table.exited({ pid: localPid(7), start: 100 }, exit);
    table.put(record(7, 100, { clients: 2 }));
    expect(table.find({ pid: localPid(7) })?.exit).toEqual(exit);
  });

  it('takes newer news of a running process', () => {
    const table = new ManagedTable(10);
    table.put(record(7, 100));
    table.put(record(7, 100, { clients: 2 }));
    expect(table.find({ pid: localPid(7) })?.clients).toBe(2);
    expect([...table.all()]).toHaveLength(1);
  });

  it('forgets what a lost shim served, and nothing else', () => {
    const table = new ManagedTable(10);
    table.put(record(7, 100));
    table.put(record(8, 100, { shim: { id: 's2', socket: '/s2' } }));
    table.dropShim('s1');
    expect([...table.all()].map(({ pid }) => pid)).toEqual([8]);
  });

  it('knows of those that have ended only the newest, and of those that run all', () => {
    const table = new ManagedTable(10);
    for (let pid = 1; pid <= 50; pid++) {
      table.put(record(pid, pid));
      if (pid > 20) table.put(record(pid, pid, { exit }));
    }
    const running = Array.from({ length: 20 }, (_, index) => index + 1);
    const newest = Array.from({ length: 10 }, (_, index) => index + 41);
    expect([...table.all()].map(({ pid }) => pid)).toEqual([...running, ...newest]);
    table.dropShim('s1');
    table.put(record(9, 100, { shim: { id: 's2', socket: '/s2' }, exit }));
    expect([...table.all()].map(({ pid }) => pid)).toEqual([9]);
  });
});
