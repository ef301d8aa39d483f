/** A shim that stands still while its agent is replaced: what it runs is not started a second time, and can be ended all the same. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { GroupsUnderTest } from './groups-under-test.ts';
import { isRunning } from './nsh-cluster.ts';
import { OneMachine } from './one-machine.ts';
import { waitUntil } from './wait-until.ts';

let machine: OneMachine;
let groups: GroupsUnderTest;
let shim: number;
/** So long that no other process is like it. */
const seconds = `1${String(process.pid).padStart(8, '0')}`;

beforeAll(async () => {
  machine = new OneMachine();
  await machine.startAgent('--session-ttl', '3');
  groups = await GroupsUnderTest.open(machine.env);
});
afterEach(async () => {
  if (isRunning(shim)) process.kill(shim, 'SIGCONT');
  await groups.remove('web');
});
afterAll(async () => {
  groups.close();
  await machine.stop();
});

/** By which it was started. */
function shimOf(pid: number): number {
  return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

/** PIDs of replicas, as the kernel has them. */
async function replicas(): Promise<number[]> {
  const { stdout } = await machine.nsh('pgrep', '-lf', `^sleep ${seconds}`);
  return stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [Number(line.split(/\s+/)[0])]))
    .sort((a, b) => a - b);
}

async function startAndStop(): Promise<number[]> {
  await groups.start({ name: 'web', command: ['sleep', seconds], replicas: 2 });
  const pids = (await groups.untilReady('web', 2)).map(({ pid }) => pid ?? 0).sort((a, b) => a - b);
  shim = shimOf(pids[0] ?? 0);
  process.kill(shim, 'SIGSTOP');
  return pids;
}

async function replaceAgent(): Promise<void> {
  const agent = machine.agentPid() ?? 0;
  process.kill(agent, 'SIGKILL');
  await waitUntil(() => !isRunning(agent), 'the end of the agent');
  await machine.startAgent('--session-ttl', '3');
  await groups.supervise();
}

it('the next agent starts nothing that still runs, and has the same when the shim goes on', async () => {
  const pids = await startAndStop();
  await replaceAgent();
  await groups.untilReady('web', 2);
  expect(await replicas()).toEqual(pids);
  process.kill(shim, 'SIGCONT');
  await waitUntil(async () => (await machine.nsh('logs', String(pids[0]))).status === 0, 'the shim to be found again');
  process.kill(pids[0] ?? 0, 'SIGKILL');
  await waitUntil(async () => {
    const now = await replicas();
    return now.length === 2 && !now.includes(pids[0] ?? 0) && now.includes(pids[1] ?? 0);
  }, 'one successor');
});

it('the next agent starts all anew, once, when the shim is killed at last', async () => {
  const pids = await startAndStop();
  await replaceAgent();
  process.kill(shim, 'SIGKILL');
  await waitUntil(async () => {
    const now = await replicas();
    return now.length === 2 && !now.some((pid) => pids.includes(pid));
  }, 'two successors');
  await groups.untilReady('web', 2);
  expect(await replicas()).toHaveLength(2);
});

it('what it runs ends when it is to', async () => {
  await startAndStop();
  await groups.change('web', (before) => ({ ...before, rest: 'stopped' }));
  await waitUntil(async () => (await replicas()).length === 0, 'the end of both');
  expect(isRunning(shim)).toBe(true);
});
