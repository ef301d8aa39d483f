/** Groups that are restarted together over several nodes: the supervisor at the leader, whose news come late. */
import { describe, expect, it } from 'vitest';
import { makeRandom } from '../../ids/random.ts';
import { ClusterSim } from './cluster-sim.ts';
import { OtpSupervisor } from './otp-oracle.ts';
import { specOf } from './scenario.ts';

const seeds = Array.from({ length: 15 }, (_, index) => index + 1);

function startCluster(seed: number, more = {}): ClusterSim {
  const sim = new ClusterSim(specOf({ replicas: 4, ready: 'log:up', intensity: 100, ...more }), 3, makeRandom(seed));
  sim.settle();
  sim.log = [];
  return sim;
}

/** Ends the process in a slot by itself. */
function kill(sim: ClusterSim, slot: number, code = 1): void {
  for (const node of sim.nodes)
    for (const process of node.processes) if (process.slot === slot) sim.end(node, process, { kind: 'exited', code });
}

describe('a group that is restarted together, over three nodes', () => {
  it.each([
    ['one_for_all', 2],
    ['one_for_all', 4],
    ['rest_for_one', 1],
    ['rest_for_one', 3],
  ] as const)('%s, slot %i: starts and stops what OTP does, in its order, across the nodes', (strategy, slot) => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { strategy });
      const otp = new OtpSupervisor({ strategy, restart: 'permanent', intensity: 100, periodMs: 30_000 }, 4);
      otp.init();
      otp.log.length = 0;
      kill(sim, slot);
      otp.terminated(slot, 'abnormal', 0);
      sim.settle();
      expect([seed, ...sim.log]).toEqual([seed, ...otp.log]);
      expect(sim.readySlots).toEqual([1, 2, 3, 4]);
    }
  });

  it('starts in order over the nodes, each when the one before it is ready', () => {
    for (const seed of seeds) {
      const sim = new ClusterSim(
        specOf({ replicas: 4, ready: 'log:up', strategy: 'one_for_all' }),
        3,
        makeRandom(seed),
      );
      while (sim.step()) {
        const ready = sim.readySlots.length;
        expect(sim.processes.map((process) => process.slot).every((slot) => slot <= ready + 1)).toBe(true);
      }
      expect(sim.log).toEqual(['start 1', 'start 2', 'start 3', 'start 4']);
    }
  });

  it('restarts all when a node is lost: what ran there has ended abnormally', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { strategy: 'one_for_all' });
      const [, second] = sim.nodes;
      if (second !== undefined) sim.lose(second);
      sim.settle();
      expect([seed, ...sim.log]).toEqual([
        seed,
        'stop 4',
        'stop 3',
        'stop 1',
        'start 1',
        'start 2',
        'start 3',
        'start 4',
      ]);
    }
  });

  it('leaves the others alone when a temporary one ends, with its node or by itself', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { strategy: 'one_for_all', restart: 'temporary' });
      const [, second] = sim.nodes;
      kill(sim, 3);
      if (second !== undefined) sim.lose(second);
      sim.settle();
      expect([seed, ...sim.log]).toEqual([seed]);
      expect(sim.readySlots).toEqual([1, 4]);
    }
  });

  it('counts over all nodes, stops backwards when it is too much, and says why', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { strategy: 'rest_for_one', intensity: 1 });
      kill(sim, 4);
      sim.settle();
      sim.log = [];
      kill(sim, 2);
      sim.settle();
      expect([seed, ...sim.log]).toEqual([seed, 'stop 4', 'stop 3', 'stop 1']);
      expect(sim.failed).toBe('2 restarts within 30s, where 1 is allowed: last, web/2 exited with status 1');
    }
  });

  it('is updated and drained one replica at a time, without taking the others along', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { strategy: 'one_for_all' });
      sim.version = 'v2';
      for (const node of sim.nodes) node.isDrained = node.id === 1;
      let least = 4;
      while (sim.step()) least = Math.min(least, sim.readySlots.length);
      expect([seed, least, sim.readySlots]).toEqual([seed, 3, [1, 2, 3, 4]]);
      expect(sim.processes.every(({ version }) => version === 'v2')).toBe(true);
      expect(sim.nodes[0]?.processes).toEqual([]);
    }
  });

  it('keeps its version but for one replica when the new one does not come up', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { strategy: 'one_for_all' });
      sim.bad.add('v2');
      sim.version = 'v2';
      sim.settle();
      expect([seed, sim.readySlots]).toEqual([seed, [2, 3, 4]]);
      expect(sim.failed).toBeUndefined();
      expect([...(sim.together?.group.members ?? [])].map(([slot, { phase }]) => `${slot} ${phase}`)).toContain(
        '1 held',
      );
    }
  });

  it('goes over to the nodes and back as its replicas come together and part', () => {
    for (const seed of seeds) {
      const sim = startCluster(seed, { strategy: 'one_for_all' });
      for (const node of sim.nodes) node.isDrained = node.id !== 1;
      sim.settle();
      expect([seed, sim.readySlots, sim.together]).toEqual([seed, [1, 2, 3, 4], undefined]);
      sim.log = [];
      kill(sim, 2);
      sim.settle();
      expect([seed, ...sim.log]).toEqual([
        seed,
        'stop 4',
        'stop 3',
        'stop 1',
        'start 1',
        'start 2',
        'start 3',
        'start 4',
      ]);
      for (const node of sim.nodes) node.isDrained = node.id === 1;
      sim.settle();
      expect([seed, sim.readySlots, sim.together === undefined]).toEqual([seed, [1, 2, 3, 4], false]);
    }
  });

  it('does not wait for a time that a leader with a wrong clock has set', () => {
    const sim = startCluster(1, { strategy: 'one_for_all' });
    sim.nowMs = 7_200_000;
    for (let failures = 0; failures < 3; failures++) {
      kill(sim, 2);
      while (sim.readySlots.length > 0) sim.step();
      if (failures < 2) sim.settle();
    }
    // The next leader's clock is two hours behind.
    sim.nowMs = 0;
    sim.leaderWakeMs = 0;
    for (const node of sim.nodes) node.wakeMs = undefined;
    sim.settle();
    expect([sim.readySlots, sim.nowMs <= 60_000]).toEqual([[1, 2, 3, 4], true]);
  });

  it('says why its rollout does not go on', () => {
    const sim = startCluster(1, { strategy: 'rest_for_one' });
    sim.bad.add('v2');
    sim.version = 'v2';
    sim.settle();
    expect(sim.halted).toMatch(/^the rollout of web is halted: web\/\d exited with status 1; the others keep/);
  });
});
