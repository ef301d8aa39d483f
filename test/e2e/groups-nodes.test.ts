/** Groups over several nodes and an etcd: nodes lost, agents stopped, cut off from the store; a singleton that never runs twice. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EtcdCluster } from '../store/etcd/cluster.ts';
import type { ProxyMode } from '../store/etcd/tcp-proxy.ts';
import { GroupsCluster } from './groups-cluster.ts';
import type { GroupsUnderTest, SeenReplica } from './groups-under-test.ts';
import type { NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

const ttlMs = 3_000;
let under: GroupsCluster;
let etcd: EtcdCluster;
let cluster: NshCluster;
let groups: GroupsUnderTest;
const started = new Set<string>();

beforeAll(async () => {
  under = await GroupsCluster.start(ttlMs);
  ({ etcd, cluster, groups } = under);
});
afterEach(async () => {
  for (const group of started) await groups.remove(group);
  started.clear();
});
afterAll(async () => {
  await under.stop();
});

async function start(name: string, command: readonly string[], more: Readonly<Record<string, unknown>> = {}) {
  started.add(name);
  await groups.start({ name, command, ...more });
}

const nodesOf = (seen: readonly SeenReplica[]): number[] => seen.map(({ node }) => node).sort((a, b) => a - b);

/** Two ready replicas of which none is on that node. */
async function untilElsewhere(group: string, count: number, node: number): Promise<number> {
  const from = performance.now();
  await waitUntil(async () => {
    const seen = (await groups.replicas(group)).filter((each) => each.node !== node && each.phase === 'ready');
    return seen.length === count;
  }, `${group} without node ${node}`);
  return Math.round(performance.now() - from);
}

describe('a group over three nodes', () => {
  it('is spread, and leaves a drained node', async () => {
    await start('web', ['sleep', '1000'], { replicas: 3 });
    expect(nodesOf(await groups.untilReady('web', 3))).toEqual([1, 2, 3]);
    await groups.drain(3, true);
    await untilElsewhere('web', 3, 3);
    await groups.untilReady('web', 3);
    await groups.drain(3, false);
  });

  it('is whole again elsewhere when a node stands still, and what was left there is ended when that goes on', async () => {
    await start('web', ['sleep', '1000'], { replicas: 3 });
    await groups.untilReady('web', 3);
    const host = cluster.host('n2');
    host.pause();
    let tookMs: number;
    try {
      tookMs = await untilElsewhere('web', 3, 2);
    } finally {
      host.resume();
    }
    process.stdout.write(`group whole again ${tookMs} ms after the loss of a node (TTL ${ttlMs})\n`);
    expect(tookMs).toBeLessThan(ttlMs + 4_000);
    await waitUntil(() => !host.processes().some(({ command }) => command.startsWith('sleep')), 'the end on n2');
    await groups.untilReady('web', 3);
  });

  it('is restarted together over all nodes with one_for_all', async () => {
    await start('all', ['sleep', '1000'], { replicas: 3, strategy: 'one_for_all' });
    const before = await groups.untilReady('all', 3);
    const [first] = before;
    cluster.host(`n${first?.node}`).kill(first?.pid ?? 0, 'SIGKILL');
    await waitUntil(async () => {
      const seen = await groups.replicas('all');
      return seen.length === 3 && seen.every(({ slot, run }) => run > (before[slot - 1]?.run ?? run));
    }, 'further runs');
    const after = await groups.untilReady('all', 3);
    expect(after.map(({ slot }) => slot)).toEqual([1, 2, 3]);
  });
});

describe('a singleton', () => {
  const log = (): string => join(cluster.hosts.directory, 'beats');
  /** Beats: node, token, Unix ms. In a child that has begun a session of its own, and lives on when the replica has ended. */
  const script = (): string => {
    const beat = `trap "" TERM; while :; do echo "$NSH_NODE $NSH_FENCING_TOKEN $(date +%s%3N)" >>${log()}; sleep 0.02; done`;
    return `setsid sh -c '${beat}' & exec sleep 1000`;
  };
  const beats = (): number[][] =>
    readFileSync(log(), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').map(Number));
  /** The first beat on each node, one after the other. */
  const turns = (): number[][] => beats().filter(([node], index, all) => node !== all[index - 1]?.[0]);

  const signal = (name: NodeJS.Signals, ...kinds: readonly ('nsh-agent' | 'nsh-shim')[]): void => {
    const pids = kinds.map((kind) => under.daemonOf('n1', kind));
    for (const pid of pids) cluster.host('n1').kill(pid, name);
  };
  const reach = (mode: ProxyMode): void => {
    etcd.proxy(0).mode = mode;
  };

  it.each([
    ['whose agent is stopped', () => signal('SIGSTOP', 'nsh-agent'), () => signal('SIGCONT', 'nsh-agent')],
    ['whose node is cut off from the store', () => reach('swallow'), () => reach('pass')],
    ['whose agent is killed', () => signal('SIGKILL', 'nsh-agent'), () => undefined],
    [
      'whose agent and shim are stopped',
      () => signal('SIGSTOP', 'nsh-agent', 'nsh-shim'),
      () => signal('SIGCONT', 'nsh-agent', 'nsh-shim'),
    ],
    ['whose agent and shim are killed', () => signal('SIGKILL', 'nsh-agent', 'nsh-shim'), () => undefined],
  ])('%s runs elsewhere, and never in both places', async (_how, fault, mend) => {
    writeFileSync(log(), '');
    await groups.drain(2, true);
    await groups.drain(3, true);
    await start('one', ['sh', '-c', script()], { singleton: true });
    await groups.untilReady('one', 1);
    await waitUntil(() => turns().length === 1, 'its first beat');
    await groups.drain(2, false);
    await groups.drain(3, false);
    const from = Date.now();
    fault();
    try {
      await waitUntil(() => turns().length === 2, 'a beat elsewhere');
    } finally {
      mend();
    }
    await groups.supervise();
    const now = beats().length;
    await waitUntil(() => beats().length > now + 20, 'more beats');
    const [[first, firstToken = 0] = [], [second, token = 0, begunMs = 0] = [], ...more] = turns();
    expect([first, more]).toEqual([1, []]);
    expect(second).not.toBe(1);
    expect(token).toBeGreaterThan(firstToken);
    const endedMs = beats().findLast(([node]) => node === 1)?.[2] ?? 0;
    const [afterMs, gapMs] = [begunMs - from, begunMs - endedMs];
    process.stdout.write(`singleton elsewhere after ${afterMs} ms, ${gapMs} ms after its last beat (TTL ${ttlMs})\n`);
    expect(gapMs).toBeGreaterThan(0);
  });
});
