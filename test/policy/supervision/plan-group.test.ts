/** The leader's plan and the nodes' policies together, with news that come late: in cases that matter, and in random histories. */
import { describe, expect, it } from 'vitest';
import { slotsOf } from '../../../src/policy/supervision/identity.ts';
import { planGroup, type PlanInput } from '../../../src/policy/supervision/plan-group.ts';
import { makeRandom } from '../../ids/random.ts';
import { ClusterSim } from './cluster-sim.ts';
import { specOf } from './scenario.ts';

const versions = (sim: ClusterSim): string =>
  sim.processes
    .map(({ slot, version }) => `${slot} ${version}`)
    .sort()
    .join(', ');

function startCluster(seed: number, more = {}, count = 3): ClusterSim {
  const sim = new ClusterSim(
    specOf({ replicas: 4, ready: 'log:up', intensity: 100, ...more }),
    count,
    makeRandom(seed),
  );
  sim.settle();
  return sim;
}

const seeds = Array.from({ length: 25 }, (_, index) => index + 1);

describe('a group over several nodes', () => {
  it('comes up whole, scales up and down by its highest slots, and stops', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed);
      expect(sim.readySlots).toEqual([1, 2, 3, 4]);
      sim.spec = { ...sim.spec, replicas: 6 };
      sim.settle();
      expect(sim.readySlots).toEqual([1, 2, 3, 4, 5, 6]);
      sim.spec = { ...sim.spec, replicas: 2 };
      sim.settle();
      expect(sim.readySlots).toEqual([1, 2]);
      sim.isStopped = true;
      sim.settle();
      expect(sim.processes).toEqual([]);
      expect([...(sim.plan?.orders ?? [])]).toEqual([]);
    }
  });

  it('is updated one replica at a time, so that never more than one is missing', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed);
      sim.version = 'v2';
      let least = 4;
      while (sim.step()) least = Math.min(least, sim.readySlots.length);
      expect([seed, versions(sim), least]).toEqual([seed, '1 v2, 2 v2, 3 v2, 4 v2', 3]);
    }
  });

  it('keeps its version but for one replica when the new one does not come up, and says why; the next version mends it', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed);
      sim.bad.add('v2');
      sim.version = 'v2';
      sim.settle();
      expect([seed, versions(sim)]).toEqual([seed, '2 v1, 3 v1, 4 v1']);
      expect(sim.plan?.halted).toBe(
        'the rollout of web is halted: web/1 exited with status 1; the others keep their version',
      );
      expect(sim.plan?.outdated).toEqual([2, 3, 4]);
      sim.version = 'v3';
      sim.settle();
      expect([seed, versions(sim), sim.plan?.halted]).toEqual([seed, '1 v3, 2 v3, 3 v3, 4 v3', undefined]);
    }
  });

  it('keeps a replica that was held where it is when its node is drained: it is tried nowhere else', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed);
      sim.bad.add('v2');
      sim.version = 'v2';
      sim.settle();
      for (const node of sim.nodes) if (node.id === 1) node.isDrained = true;
      sim.settle();
      expect([seed, versions(sim), sim.failed]).toEqual([seed, '2 v1, 3 v1, 4 v1', undefined]);
      expect(sim.plan?.halted).toContain('web/1 exited with status 1');
    }
  });

  it('leaves a drained node one replica at a time', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed);
      const [first] = sim.nodes;
      if (first !== undefined) first.isDrained = true;
      let least = 4;
      while (sim.step()) least = Math.min(least, sim.readySlots.length);
      expect([seed, first?.processes, sim.readySlots, least]).toEqual([seed, [], [1, 2, 3, 4], 3]);
    }
  });

  it('is whole again when a node is lost, and nothing moves back when it returns', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed);
      const [first] = sim.nodes;
      if (first !== undefined) sim.lose(first);
      sim.settle();
      expect([seed, sim.readySlots]).toEqual([seed, [1, 2, 3, 4]]);
      if (first !== undefined) sim.back(first);
      sim.settle();
      expect([seed, sim.readySlots, first?.processes]).toEqual([seed, [1, 2, 3, 4], []]);
    }
  });

  it('never restarts a temporary replica of a lost node, nor a transient one that had ended there', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { restart: 'temporary' });
      const [first] = sim.nodes;
      const lost = first?.processes.map(({ slot }) => slot) ?? [];
      if (first !== undefined) sim.lose(first);
      sim.settle();
      expect([seed, sim.readySlots]).toEqual([seed, [1, 2, 3, 4].filter((slot) => !lost.includes(slot))]);
      const jobs = startCluster(seed, { restart: 'transient' });
      const [node] = jobs.nodes;
      const [done] = node?.processes ?? [];
      if (node !== undefined && done !== undefined) jobs.end(node, done, { kind: 'exited', code: 0 });
      jobs.settle();
      if (node !== undefined) jobs.lose(node);
      jobs.settle();
      expect([seed, jobs.readySlots]).toEqual([seed, [1, 2, 3, 4].filter((slot) => slot !== done?.slot)]);
    }
  });

  it('stops everywhere when one node has had too many restarts, and starts again in the next round', () => {
    const sim = startCluster(1, { intensity: 0 });
    const [first] = sim.nodes;
    const [victim] = first?.processes ?? [];
    if (first !== undefined && victim !== undefined) sim.end(first, victim, { kind: 'exited', code: 3 });
    sim.settle();
    expect(sim.processes).toEqual([]);
    expect(sim.failed).toMatch(/^1 restart within 30s, where 0 are allowed: last, web\/\d exited with status 3$/);
    sim.beginRound();
    sim.settle();
    expect(sim.readySlots).toEqual([1, 2, 3, 4]);
  });

  it('never runs a slot twice and comes to rest as it should, whatever happens and however late the news are', () => {
    const first = Math.floor(Math.random() * 1e9);
    // The first four: the end of a replica in its former round was taken for one of this round, and it was never started again.
    const histories = [927, 2_909, 373, 1_872, ...Array.from({ length: 150 }, (_, index) => first + index)];
    const problems = histories.flatMap((seed) => {
      try {
        playHistory(seed);
        return [];
      } catch (error) {
        return [`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`];
      }
    });
    expect(problems).toEqual([]);
  });
});

function playHistory(seed: number): void {
  const random = makeRandom(seed);
  const strategy = random.pick(['one_for_one', 'rest_for_one', 'one_for_all']);
  const restart = random.pick(['permanent', 'transient']);
  const sim = new ClusterSim(
    specOf({ replicas: random.between(1, 6), ready: 'log:up', intensity: 1000, strategy, restart }),
    4,
    random,
  );
  for (let act = 0; act < 40; act++) {
    for (let steps = random.between(0, 15); steps > 0; steps--) sim.step();
    const node = random.pick(sim.nodes as [(typeof sim.nodes)[0], ...typeof sim.nodes]);
    const [process] = node.processes;
    switch (random.between(0, 6)) {
      case 0:
        sim.spec = { ...sim.spec, replicas: random.between(0, 6) };
        break;
      case 1:
        sim.version = random.pick(['v1', 'v2', 'v3']);
        break;
      case 2:
        node.isDrained = !node.isDrained;
        break;
      case 3:
        if (node.isAlive) sim.lose(node);
        else sim.back(node);
        break;
      case 4:
        sim.isStopped = !sim.isStopped;
        if (!sim.isStopped) sim.beginRound();
        break;
      default:
        if (process !== undefined) sim.end(node, process, { kind: 'exited', code: random.between(0, 1) });
    }
    sim.check();
  }
  sim.isStopped = false;
  sim.beginRound();
  for (const node of sim.nodes) {
    if (!node.isAlive) sim.back(node);
    node.isDrained = node.id === 1;
  }
  sim.settle();
  const shown = `${sim.readySlots.join(' ')} of ${sim.spec.replicas}: ${versions(sim)}, wanted ${sim.version}, ${sim.plan?.halted ?? ''}`;
  if (sim.readySlots.join() !== slotsOf(sim.spec.replicas).join()) throw new Error(`it came to rest with ${shown}`);
  if (sim.processes.some(({ version }) => version !== sim.version)) throw new Error(`versions: ${shown}`);
  if (sim.nodes.some(({ id, processes }) => id === 1 && processes.length > 0))
    throw new Error(`on a drained node: ${shown}`);
}

describe('a singleton', () => {
  const spec = specOf({ replicas: 1, singleton: true });
  const input: PlanInput = {
    spec,
    version: 'v1',
    round: 1,
    isStopped: false,
    placed: new Map([[1, 2]]),
    orders: new Map([[1, { serial: 1n, scope: 'node', slots: new Map([[1, 'v1']]) }]]),
    reports: new Map(),
    nodes: new Map([
      [1, { isAlive: false, name: 'n1', freeAtMs: 5_000 }],
      [2, { isAlive: true, name: 'n2' }],
    ]),
    slots: new Map([[1, { version: 'v1' }]]),
  };

  it('of a lost node stays ordered there until its fence has passed, and says so', () => {
    const plan = planGroup(input, 4_999);
    expect([...plan.orders.keys()]).toEqual([1]);
    expect(plan.waits.get(1)).toBe('web/1 waits: n1 is lost and may still run it');
    expect(plan.wakeMs).toBe(5_000);
    expect([...planGroup(input, 5_000).orders]).toEqual([[2, new Map([[1, 'v1']])]]);
  });

  it('that was on its way from a node which was lost meanwhile waits for the fence, too', () => {
    const moving = {
      ...input,
      orders: new Map([[1, { serial: 2n, scope: 'node' as const, slots: new Map<number, string>() }]]),
    };
    expect(planGroup(moving, 4_999).orders.get(2)).toBeUndefined();
    expect(planGroup(moving, 5_000).orders.get(2)).toEqual(new Map([[1, 'v1']]));
  });

  it('of a node that has not said that it ended it is ordered nowhere else', () => {
    const nodes = new Map([...input.nodes, [1, { isAlive: true, name: 'n1' }] as const]);
    const moving = {
      ...input,
      nodes,
      orders: new Map([[1, { serial: 2n, scope: 'node' as const, slots: new Map<number, string>() }]]),
    };
    expect(planGroup(moving, 99_999).orders.get(2)).toBeUndefined();
    expect(planGroup(moving, 99_999).waits.get(1)).toBe('web/1 waits: n1 has not ended it yet');
    const report = { group: 'web', epoch: 1n, serial: 2n, round: 1, replicas: [], restarted: 0 };
    const gone = { ...moving, reports: new Map([[1, report]]) };
    expect(planGroup(gone, 99_999).orders).toEqual(new Map([[2, new Map([[1, 'v1']])]]));
  });
});
