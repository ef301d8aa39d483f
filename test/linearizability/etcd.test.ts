/**
 * Registers, compare-and-set, counters and locks on a real etcd of three members, under every fault there is, are linearizable; and the
 * checker says so because it looked: it catches each of the mutants. A long run: npm run linearizability.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Endpoints } from '../../src/store/etcd/endpoints.ts';
import { openEtcdStore } from '../../src/store/etcd/etcd-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makeRandom } from '../ids/random.ts';
import { waitUntil } from '../e2e/wait-until.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { strikeAll } from './nemesis.ts';
import { denyingUnknown, readingStale, retryingWrites } from './mutants.ts';
import { runClients } from './run.ts';
import type { Workload } from './workload.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** At the most until a mutant is caught, ms; it takes one or two hundred operations. */
const catchMs = 25_000;
const isCaught = (running: Workload): boolean => running.violations().length > 0;
let cluster: EtcdCluster;
const open = (): Promise<Store> => openEtcdStore({ urls: cluster.proxiedUrls });

beforeAll(async () => {
  cluster = await EtcdCluster.start();
});
afterEach(async () => {
  await cluster.restore();
});
afterAll(async () => {
  await cluster.stop();
});

it(`is linearizable under faults (SEED=${seed})`, async () => {
  const workload = await runClients({
    open,
    seed,
    clients: 6,
    strike: () => strikeAll(cluster, { random: makeRandom(seed), faultMs: 400, calmMs: 50 }),
  });
  expect(workload.violations()).toEqual([]);
  // It was no easy ride, and much was done all the same.
  expect(workload.counts.unknown).toBeGreaterThan(0);
  expect(workload.counts.ok).toBeGreaterThan(200);
});

it.each([
  ['a client that does writes again', retryingWrites],
  ['a client that takes no answer for not done', denyingUnknown],
])('catches %s', async (_what, mutate) => {
  const random = makeRandom(seed);
  const workload = await runClients({
    open,
    seed,
    clients: 4,
    mutate,
    strike: async (running) => {
      await waitUntil(() => running.counts.ok > 50, 'some work to be done', catchMs);
      expect(running.violations()).toEqual([]);
      for (const proxy of cluster.proxies) proxy.cutsAnswer = () => random.between(1, 100) <= 5;
      await waitUntil(() => isCaught(running), 'it to be caught', catchMs);
    },
  });
  expect(workload.violations().join('\n')).toMatch(/in no order/);
});

it('catches a backend that asks one member alone, when that is cut off from the others', async () => {
  const follower = await cluster.follower();
  const stale = await Endpoints.open({ urls: [cluster.member(follower).url] });
  let count = 0;
  const workload = await runClients({
    open,
    seed,
    clients: 4,
    // One of them; the others are right.
    mutate: (store) => (count++ === 0 ? readingStale(store, stale) : store),
    strike: async (running) => {
      await waitUntil(() => running.counts.ok > 50, 'some work to be done', catchMs);
      // It may be behind, and caught, without that already.
      cluster.isolate(follower);
      await waitUntil(() => isCaught(running), 'it to be caught', catchMs);
    },
  });
  stale.close();
  expect(workload.violations().join('\n')).toMatch(/in no order/);
});
