/** This machine's agent stands still in the middle of a request: the command ends, naming it, its PID and what to do. */
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, test, type TestContext } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import type { RunningNsh } from './nsh-program.ts';
import { waitUntil } from './wait-until.ts';

interface Stage {
  readonly cluster: NshCluster;
  /** PID of this machine's agent. */
  readonly agent: number;
}

/** Each test has agents of its own to stop, so that they wait side by side. */
async function setStage({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<Stage> {
  const cluster = await startCluster({ count: 2 });
  let agent = 0;
  onTestFinished(async () => {
    if (agent > 0) process.kill(agent, 'SIGCONT');
    cluster.host('n2').resume();
    await cluster.stop();
  });
  await cluster.nsh(['nodes']);
  agent = await cluster.agentPid('localhost');
  return { cluster, agent };
}

/** `nsh ARGS`, once it has asked the agent and whatever n1 has to say to it has come. */
async function asking({ cluster }: Stage, ...args: readonly string[]): Promise<RunningNsh> {
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

const named = ({ agent }: Stage): string =>
  `the agent of this machine (PID ${agent}) does not answer: it is stopped; ` +
  `'kill -CONT ${agent}' lets it go on, 'kill -KILL ${agent}' ends it, and what it runs stays`;

describe.concurrent('where the agent of this machine stands still', { timeout: 90_000 }, () => {
  test('wait ends with 255 and says so; one that has an agent waits for as long as it takes', async (context) => {
    const stage = await setStage(context);
    const { cluster, agent } = stage;
    const gpid = String(await cluster.start('-n', 'n1', '--', 'sleep', '1000'));
    const running = await asking(stage, 'wait', gpid);
    process.kill(agent, 'SIGSTOP');
    const { status, stderr } = await running.end();
    expect([status, stderr]).toEqual([255, `nsh wait: ${named(stage)}\n`]);
    process.kill(agent, 'SIGCONT');
    const again = await asking(stage, 'wait', gpid);
    await expect(again.end(12_000)).rejects.toThrow('did not end within');
    await cluster.nsh(['kill', '-KILL', gpid]);
  });

  test('nodes shows what came before, and names each other node with the reason', async (context) => {
    const stage = await setStage(context);
    const { cluster, agent } = stage;
    cluster.host('n2').pause();
    const running = await asking(stage, 'nodes');
    process.kill(agent, 'SIGSTOP');
    const { status, stdout, stderr } = await running.end();
    expect([status, stderr]).toEqual([3, `nsh nodes: n2: ${named(stage)}\n`]);
    expect(stdout).toMatch(/n1 +up[^]*n2 +down/);
  });

  test('kill and run end with it too, and do nothing when it goes on', async (context) => {
    const stage = await setStage(context);
    const { cluster, agent } = stage;
    const gpid = String(await cluster.start('-n', 'n1', '--', 'sleep', '1000'));
    process.kill(agent, 'SIGSTOP');
    const [kill, run] = await Promise.all([
      cluster.nsh(['kill', '-KILL', gpid]),
      cluster.nsh(['run', '-d', '-n', 'n1', '--name', 'late', '--', 'sleep', '1000']),
    ]);
    process.kill(agent, 'SIGCONT');
    expect([kill.status, kill.stderr]).toEqual([1, `nsh kill: (${gpid}): n1: ${named(stage)}\n`]);
    expect([run.status, run.stderr]).toEqual([255, `nsh run: ${named(stage)}\n`]);
    await cluster.nsh(['nodes']);
    expect((await cluster.nsh(['ps', '-a', '-o', 'pid=,name='])).stdout.trim()).toBe(`${gpid} -`);
    await cluster.nsh(['kill', '-KILL', gpid]);
  });

  test('a process whose output comes through it goes on where it was, once it goes on', async (context) => {
    const stage = await setStage(context);
    const { cluster, agent } = stage;
    const count = 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i; sleep 0.003; done; exit 6';
    const running = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'sh', '-c', count]);
    await running.untilStdout('100\n');
    process.kill(agent, 'SIGSTOP');
    await running.untilStderr('the connection is lost; connecting again').catch(() => undefined);
    process.kill(agent, 'SIGCONT');
    const { stdout, status } = await running.end();
    expect(stdout).toBe(Array.from({ length: 1000 }, (_, line) => `${line + 1}\n`).join(''));
    expect(status).toBe(6);
  });
});
