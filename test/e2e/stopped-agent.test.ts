/** This machine's agent stands still in the middle of a request: the command ends, naming it, its PID and what to do. */
import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import type { RunningNsh } from './nsh-program.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
let agent = 0;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
  await cluster.nsh(['nodes']);
  agent = await cluster.agentPid('localhost');
});
afterEach(async () => {
  process.kill(agent, 'SIGCONT');
  cluster.host('n2').resume();
  await waitUntil(async () => (await cluster.nsh(['nodes'])).status === 0, 'all nodes to answer', 30_000);
});
afterAll(() => cluster.stop());

/** `nsh ARGS`, once it has asked the agent and whatever n1 has to say to it has come. */
async function asking(...args: readonly string[]): Promise<RunningNsh> {
  const running = cluster.spawnNsh(args);
  // Its standard input, output and error are sockets too.
  await waitUntil(() => sockets(running.child.pid ?? 0) > 3, `a connection of nsh ${args.join(' ')}`);
  // Whole commands that begin later and are over: the one before them has come as far.
  for (let round = 0; round < 3; round++) await cluster.nsh(['nodes', 'n1']);
  return running;
}

function sockets(pid: number): number {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  return descriptors.filter((path) => (linkOf(path) ?? '').startsWith('socket:')).length;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // It was closed meanwhile.
  }
}

const named = (): string =>
  `the agent of this machine (PID ${agent}) does not answer: it is stopped; ` +
  `'kill -CONT ${agent}' lets it go on, 'kill -KILL ${agent}' ends it, and what it runs stays`;

test('wait ends with 255 and says so; one that has an agent waits for as long as it takes', async () => {
  const gpid = String(await cluster.start('-n', 'n1', '--', 'sleep', '1000'));
  const running = await asking('wait', gpid);
  process.kill(agent, 'SIGSTOP');
  const { status, stderr } = await running.end();
  expect([status, stderr]).toEqual([255, `nsh wait: ${named()}\n`]);
  process.kill(agent, 'SIGCONT');
  const again = await asking('wait', gpid);
  await expect(again.end(12_000)).rejects.toThrow('did not end within');
  await cluster.nsh(['kill', '-KILL', gpid]);
}, 60_000);

test('nodes shows what came before, and names each other node with the reason', async () => {
  cluster.host('n2').pause();
  const running = await asking('nodes');
  process.kill(agent, 'SIGSTOP');
  const { status, stdout, stderr } = await running.end();
  expect([status, stderr]).toEqual([3, `nsh nodes: n2: ${named()}\n`]);
  expect(stdout).toMatch(/n1 +up[^]*n2 +down/);
}, 60_000);

test('kill and run end with it too, and do nothing when it goes on', async () => {
  const gpid = String(await cluster.start('-n', 'n1', '--', 'sleep', '1000'));
  process.kill(agent, 'SIGSTOP');
  const [kill, run] = await Promise.all([
    cluster.nsh(['kill', '-KILL', gpid]),
    cluster.nsh(['run', '-d', '-n', 'n1', '--name', 'late', '--', 'sleep', '1000']),
  ]);
  process.kill(agent, 'SIGCONT');
  expect([kill.status, kill.stderr]).toEqual([1, `nsh kill: (${gpid}): n1: ${named()}\n`]);
  expect([run.status, run.stderr]).toEqual([255, `nsh run: ${named()}\n`]);
  await cluster.nsh(['nodes']);
  expect((await cluster.nsh(['ps', '-a', '-o', 'pid=,name='])).stdout.trim()).toBe(`${gpid} -`);
  await cluster.nsh(['kill', '-KILL', gpid]);
}, 60_000);

test('a process whose output comes through it goes on where it was, once it goes on', async () => {
  const count = 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i; sleep 0.003; done; exit 6';
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'sh', '-c', count]);
  await running.untilStdout('100\n');
  process.kill(agent, 'SIGSTOP');
  await running.untilStderr('the connection is lost; connecting again').catch(() => undefined);
  process.kill(agent, 'SIGCONT');
  const { stdout, status } = await running.end();
  expect(stdout).toBe(Array.from({ length: 1000 }, (_, line) => `${line + 1}\n`).join(''));
  expect(status).toBe(6);
}, 90_000);
