/** Singletons whose shim is killed or stands still, on a real shim; and the guard's script in the shells that it may find. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SingletonGuard } from '../../../agent/shim/singleton-guard.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import { isAlive, ShimUnderTest } from './shim-under-test.ts';
import { waitUntil } from './wait-until.ts';

const bootMs = (): number => uptime() * 1000;
const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // It has ended.
  }
};
/** PIDs of the children whose command line has that text. */
const childrenOf = (pid: number, text: string): number[] =>
  read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((child) => child !== '' && read(`/proc/${child}/cmdline`).includes(text))
    .map(Number);
/** Bits of the signals that a process has not taken yet, by number − 1. */
function pendingSignals(pid: number): bigint {
  const bits = [...read(`/proc/${pid}/status`).matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)];
  return bits.reduce((all, [, hex = '0']) => all | BigInt(`0x${hex}`), 0n);
}

async function expectGone(pids: readonly number[], what: string): Promise<void> {
  await waitUntil(() => !pids.some(isAlive), what);
}

/** A leader that ignores all but KILL, a child of its session, and one that has begun a session of its own. */
const family = `trap '' TERM HUP; sleep 1000 & setsid sleep 1000 & while :; do sleep 0.05; done`;

describe('a singleton', () => {
  let shim: ShimUnderTest;
  beforeEach(async () => {
    shim = await ShimUnderTest.start();
  });
  afterEach(() => shim.stop());

  /** With the PIDs of the leader and of the two that last. */
  async function start(): Promise<{ leader: ManagedProcess; pids: number[] }> {
    const leader = await shim.spawn(['sh', '-c', family], { killAtBootMs: bootMs() + 60_000 });
    await waitUntil(() => childrenOf(leader.pid, '1000').length === 2, 'its children');
    return { leader, pids: [leader.pid, ...childrenOf(leader.pid, '1000')] };
  }
  const guards = (): number[] => childrenOf(shim.pid, 'nsh-guard');

  it('ends with all that belongs to it when its shim is killed', async () => {
    const { pids } = await start();
    shim.kill();
    await expectGone(pids, 'its end');
    expect(guards()).toEqual([]);
  });

  it('ends at its time when its shim stands still, and another one at its own', async () => {
    const [one, other] = [await start(), await start()];
    const killAtBootMs = bootMs() + 1_000;
    await shim.call('killAt', { processes: [one.leader], bootMs: killAtBootMs });
    let lateMs: number;
    shim.kill('SIGSTOP');
    try {
      await expectGone(one.pids, 'its end');
      lateMs = bootMs() - killAtBootMs;
      expect(other.pids.every(isAlive)).toBe(true);
    } finally {
      shim.kill('SIGCONT');
    }
    expect(lateMs).toBeGreaterThanOrEqual(-10);
    process.stdout.write(`killed ${lateMs.toFixed(0)} ms after its time by the guard\n`);
    expect(lateMs).toBeLessThan(1_000);
  });

  it('has another guard when that was killed', async () => {
    const { pids } = await start();
    const [first = 0] = guards();
    process.kill(first, 'SIGKILL');
    await waitUntil(() => guards().some((pid) => pid !== first), 'another guard');
    expect(pids.every(isAlive)).toBe(true);
    shim.kill();
    await expectGone(pids, 'its end');
  });

  it('leaves nothing behind when it ends, and no guard', async () => {
    const { leader, pids } = await start();
    const guard = guards();
    expect(guard).toHaveLength(1);
    process.kill(leader.pid, 'SIGKILL');
    await waitUntil(() => shim.exited.length === 1, 'the word of its end');
    // SIGKILL was sent before: none of them does anything any more.
    const isOver = (pid: number): boolean => !isAlive(pid) || (pendingSignals(pid) & 0x100n) !== 0n;
    expect(pids.filter((pid) => !isOver(pid))).toEqual([]);
    await expectGone([...pids, ...guard], 'the end of all');
    expect(shim.isRunning).toBe(true);
  });

  it('has no guard where it cannot be started', async () => {
    const spawned = shim.spawn(['/no/such/program'], { killAtBootMs: bootMs() + 60_000 });
    await expect(spawned).rejects.toMatchObject({ code: 'commandNotFound' });
    await waitUntil(() => guards().length === 0, 'the end of the guard');
  });
});

describe.each([
  ['bash', { kind: 'bash', path: '/bin/bash' }],
  ['a shell that cannot wait for a line', { kind: 'dash', path: '/bin/sh' }],
] as const)('the guard in %s', (_name, shell) => {
  it('kills each at its own time, and what is left when it has ended', async () => {
    const marks = ['a', 'b', 'c'].map((letter) => letter.repeat(32));
    const children = marks.map((mark) =>
      spawn('sh', ['-c', `trap '' TERM; echo up; sleep 1000`], {
        env: { PATH: process.env['PATH'], NSH_SINGLETON: mark },
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    const ended = children.map((child) => once(child, 'exit').then(() => bootMs()));
    const guard = new SingletonGuard({ shell, cover: (stdio) => [...stdio] });
    const [first = '', second = '', third = ''] = marks;
    const from = bootMs();
    guard.set(first, from + 60_000);
    guard.set(second, from + 1_400);
    guard.set(third, from + 60_000);
    guard.set(first, from + 700);
    const [firstMs = 0, secondMs = 0] = await Promise.all(ended.slice(0, 2));
    expect(firstMs - from).toBeGreaterThanOrEqual(680);
    expect(secondMs - from).toBeGreaterThanOrEqual(1_380);
    expect(secondMs - from).toBeLessThan(2_400);
    const pid = guard.pid ?? 0;
    for (const mark of marks) guard.end(mark);
    await Promise.all(ended);
    await expectGone([pid], 'the end of the guard');
  });
});
