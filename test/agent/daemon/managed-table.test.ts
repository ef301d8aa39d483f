import { expect, test } from 'vitest';
import { ManagedTable } from '../../../agent/daemon/managed-table.ts';
import { localPid } from '../../../src/ids/gpid.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';

function record(pid: number, start: number, startedAtMs = start): ManagedProcess {
  return {
    pid: localPid(pid),
    start,
    boot: 'boot',
    argv: ['true'],
    cwd: '/',
    io: 'pipes',
    starter: { gpid: 0, user: 'me', host: 'here' },
    startedAtMs,
    onDisconnect: 'keep',
    keepBytes: 0,
    out: { base: 0, end: 0, closed: false },
    clients: 0,
    shim: { id: 'a', socket: '/a' },
  };
}
const exit = { code: 5, signal: null, atMs: 1 };

test('the end of a process that is told before the answer to its start is not forgotten', () => {
  const table = new ManagedTable();
  table.put(record(7, 100));
  table.exited({ pid: localPid(7) }, exit);
  table.put(record(7, 100));
  expect(table.find({ pid: localPid(7) })?.exit).toEqual(exit);
  expect(table.runningCount).toBe(0);
});

test('a later process with the number of an ended one is another one, and is found first while it runs', () => {
  const table = new ManagedTable();
  table.put(record(7, 100));
  table.exited({ pid: localPid(7) }, exit);
  table.put(record(7, 200));
  expect(table.find({ pid: localPid(7) })?.start).toBe(200);
  expect(table.find({ pid: localPid(7), start: 100 })?.exit).toEqual(exit);
  expect(table.running(7)?.start).toBe(200);
});
