/** Groups on one machine, whose agent has the store: real processes, killed in every way, and the agent with them. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GroupsUnderTest } from './groups-under-test.ts';
import { isRunning } from './nsh-cluster.ts';
import { OneMachine } from './one-machine.ts';
import { waitUntil } from './wait-until.ts';

let machine: OneMachine;
let groups: GroupsUnderTest;
const started = new Set<string>();

beforeAll(async () => {
  machine = new OneMachine();
  await machine.startAgent('--session-ttl', '3');
  groups = await GroupsUnderTest.open(machine.env);
});
afterEach(async () => {
  for (const group of started) await groups.remove(group);
  started.clear();
});
afterAll(async () => {
  groups.close();
  await machine.stop();
});

async function start(name: string, command: readonly string[], more: Readonly<Record<string, unknown>> = {}) {
  started.add(name);
  await groups.start({ name, command, ...more });
}

function agentPid(): number {
  const pid = machine.agentPid();
  if (pid === undefined) throw new Error('no agent runs');
  return pid;
}

describe('a group on one machine', () => {
  it('runs as many replicas as are wanted, as managed processes that know who they are', async () => {
    await start('web', ['sh', '-c', 'echo "$NSH_GROUP $NSH_REPLICA"; exec sleep 1000'], { replicas: 2 });
    const [one, two] = await groups.untilReady('web', 2);
    const logs = await Promise.all([one, two].map((seen) => machine.nsh('logs', String(seen?.pid))));
    expect(logs.map(({ stdout }) => stdout)).toEqual(['web 1\n', 'web 2\n']);
  });

  it('has a successor for a replica that was killed', async () => {
    await start('web', ['sleep', '1000'], { replicas: 2 });
    const before = await groups.untilReady('web', 2);
    const killed = before[0]?.pid ?? 0;
    const from = performance.now();
    process.kill(killed, 'SIGKILL');
    await waitUntil(async () => (await groups.replicas('web'))[0]?.run === 2, 'a second run');
    const after = await groups.untilReady('web', 2);
    process.stdout.write(`successor ready ${Math.round(performance.now() - from)} ms after SIGKILL\n`);
    expect(after[0]?.pid).not.toBe(killed);
    expect(after[1]?.pid).toBe(before[1]?.pid);
  });

  it('is stopped and says why where it is restarted too often', async () => {
    await start('bad', ['sh', '-c', 'exit 3'], { intensity: 1 });
    await waitUntil(async () => (await groups.status('bad'))?.failed !== undefined, 'the failure');
    expect((await groups.status('bad'))?.failed).toBe(
      '2 restarts within 30s, where 1 is allowed: last, bad/1 exited with status 3',
    );
  });

  it('runs on while its agent is killed, and is taken over by the next one', async () => {
    await start('web', ['sleep', '1000'], { replicas: 2 });
    const before = await groups.untilReady('web', 2);
    const old = agentPid();
    process.kill(old, 'SIGKILL');
    await waitUntil(() => !isRunning(old), 'the end of the agent');
    process.kill(before[0]?.pid ?? 0, 'SIGKILL');
    await machine.startAgent('--session-ttl', '3');
    await waitUntil(async () => (await groups.replicas('web'))[0]?.run === 2, 'a successor by the new agent');
    const after = await groups.untilReady('web', 2);
    expect(after[1]).toMatchObject({ pid: before[1]?.pid, run: 1 });
  });

  it('restarts all in order with one_for_all', async () => {
    const log = join(machine.directory, 'order');
    rmSync(log, { force: true });
    const script = `echo "start $NSH_REPLICA" >>${log}; trap 'echo "stop $NSH_REPLICA" >>${log}; exit 0' TERM; while :; do sleep 0.05; done`;
    await start('all', ['sh', '-c', script], {
      replicas: 3,
      strategy: 'one_for_all',
      ready: 'exec:grep -q "start $NSH_REPLICA" '.concat(log),
    });
    const before = await groups.untilReady('all', 3);
    process.kill(before[1]?.pid ?? 0, 'SIGKILL');
    await waitUntil(async () => (await groups.replicas('all')).every(({ run }) => run === 2), 'second runs');
    await groups.untilReady('all', 3);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines).toEqual(['start 1', 'start 2', 'start 3', 'stop 3', 'stop 1', 'start 1', 'start 2', 'start 3']);
  });

  it('is replaced one at a time by another version, and stays as it was where that does not come up', async () => {
    await start('web', ['sleep', '1000'], { replicas: 2, 'ready-timeout': '1s' });
    await groups.untilReady('web', 2);
    await groups.change('web', (before) => ({ ...before, spec: { ...before.spec, argv: ['sleep', '1001'] } }));
    await waitUntil(async () => (await groups.replicas('web')).every(({ run }) => run === 2), 'the update');
    const updated = await groups.untilReady('web', 2);
    await groups.change('web', (before) => ({
      ...before,
      spec: { ...before.spec, argv: ['sleep', '1002'], ready: { kind: 'exec', command: 'false' } },
    }));
    await waitUntil(async () => (await groups.status('web'))?.halted !== undefined, 'the halt');
    const after = await groups.replicas('web');
    expect(after.map(({ phase }) => phase).sort()).toEqual(['held', 'ready']);
    const kept = after.find(({ phase }) => phase === 'ready');
    expect(updated.some(({ pid }) => pid === kept?.pid)).toBe(true);
  });

  it('is ready when a line of its output or a port says so', async () => {
    await start('log', ['sh', '-c', 'sleep 0.3; echo it is up; exec sleep 1000'], { ready: 'log:is up$' });
    await groups.untilReady('log', 1);
    const { stdout } = await machine.nsh('logs', String((await groups.replicas('log'))[0]?.pid));
    expect(stdout).toBe('it is up\n');
  });
});

describe('a singleton', () => {
  it('is killed in time while its agent is stopped, and runs again when that goes on', async () => {
    await start('one', ['sleep', '1000'], { singleton: true });
    const [before] = await groups.untilReady('one', 1);
    const pid = before?.pid ?? 0;
    const agent = agentPid();
    const from = performance.now();
    process.kill(agent, 'SIGSTOP');
    try {
      await waitUntil(() => !isRunning(pid), 'the end of the singleton');
      const tookMs = performance.now() - from;
      process.stdout.write(`singleton killed ${Math.round(tookMs)} ms after SIGSTOP of its agent (TTL 3000)\n`);
      expect(tookMs).toBeLessThan(3_000);
    } finally {
      process.kill(agent, 'SIGCONT');
    }
    await waitUntil(async () => {
      const [now] = await groups.replicas('one');
      return now?.phase === 'ready' && now.pid !== undefined && now.pid !== pid;
    }, 'its successor');
  });
});

describe('a store that begins anew', () => {
  it('has its orders obeyed, though it counts from the beginning; what ran by the former one has ended', async () => {
    await start('web', ['sleep', '1000']);
    const [before] = await groups.untilReady('web', 1);
    const old = agentPid();
    process.kill(old, 'SIGKILL');
    await waitUntil(() => !isRunning(old), 'the end of the agent');
    rmSync(machine.paths.store, { recursive: true });
    await machine.startAgent('--session-ttl', '3');
    await waitUntil(() => !isRunning(before?.pid ?? 0), 'the end of what ran');
    await start('web', ['sleep', '1000'], { replicas: 2 });
    await groups.untilReady('web', 2);
    // Also by the next agent, which has the highest epoch of its predecessor.
    const next = agentPid();
    process.kill(next, 'SIGKILL');
    await waitUntil(() => !isRunning(next), 'the end of the agent');
    await machine.startAgent('--session-ttl', '3');
    await groups.change('web', (wanted) => ({ ...wanted, spec: { ...wanted.spec, replicas: 3 } }));
    expect(await groups.untilReady('web', 3)).toHaveLength(3);
  });
});

it('an agent whose groups are all removed takes part no more', async () => {
  await start('web', ['sleep', '1000']);
  await groups.untilReady('web', 1);
  await groups.remove('web');
  started.delete('web');
  // Its session, its claim to lead and its report are gone with the group.
  await waitUntil(async () => (await groups.store.list('')).entries.length === 0, 'an empty store');
  expect((await machine.nsh('locks', '--json')).stdout).not.toContain('nsh-agent');
});
