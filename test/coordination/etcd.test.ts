/** The primitives on a real etcd of three members, some of which are killed, frozen or cut off meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { passBarrier } from '../../src/coordination/barrier.ts';
import { addToCounter, readCounter } from '../../src/coordination/counter.ts';
import { campaign } from '../../src/coordination/election.ts';
import { acquireLock } from '../../src/coordination/lock.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import { openEtcdStore } from '../../src/store/etcd/etcd-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makeRandom } from '../ids/random.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { contend, kinds, Witness } from './contenders.ts';
import { must, party } from './fixture.ts';

let cluster: EtcdCluster;
const stores: Store[] = [];
let count = 0;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
});
afterEach(async () => {
  await cluster.restore();
  for (const store of stores.splice(0)) await store.close();
});
afterAll(async () => {
  await cluster.stop();
});

async function join({ ttlSeconds = 15, urls = cluster.proxiedUrls } = {}): Promise<Participant> {
  const store = await openEtcdStore({ urls });
  stores.push(store);
  // While there is no leader nobody can join; the others go on when there is one.
  for (;;) {
    try {
      return { store, session: await store.openSession(ttlSeconds), party: party(10_000_000 + ++count) };
    } catch {
      await delay(50);
    }
  }
}

it.each(['lock', 'semaphore of 3'])(
  'a %s goes on while answers are lost, and members are frozen and killed, the leader too',
  async (kindName) => {
    const kind = kinds[kindName];
    if (kind === undefined) throw new Error('no such kind');
    const seed = Number(process.env['NSH_SEED'] ?? Date.now() % 1_000_000);
    const random = makeRandom(seed);
    for (const proxy of cluster.proxies) proxy.cutsAnswer = () => random.between(1, 40) === 1;
    const witness = new Witness(kind.size);
    const work = Promise.all(
      Array.from({ length: 8 }, () => contend(random, 5, witness, kind.acquire, () => join({ ttlSeconds: 5 }))),
    );
    const leader = await cluster.leader();
    const other = (leader + 1) % 3;
    await delay(300);
    cluster.member(other).freeze();
    await delay(300);
    cluster.member(other).thaw();
    await cluster.member(leader).kill();
    await work;
    for (const proxy of cluster.proxies) proxy.cutsAnswer = () => false;
    expect(witness.problems, `NSH_SEED=${seed}`).toEqual([]);
    expect(witness.granted.length).toBeGreaterThan(8);
    expect(await kind.acquire(await join(), false, { timeoutMs: 20_000 }), `NSH_SEED=${seed}`).toBeDefined();
  },
  60_000,
);

describe('a holder', () => {
  it('that dies together with the leader of etcd is followed by the next within its TTL and an election', async () => {
    const [a, b] = [await join({ ttlSeconds: 3 }), await join()];
    const held = must(await acquireLock(a, 'both'));
    const waiting = acquireLock(b, 'both');
    await expect.poll(async () => (await b.store.list('lock/both/')).entries.length).toBe(2);
    const began = performance.now();
    a.session.release();
    await cluster.member(await cluster.leader()).kill();
    const next = must(await waiting);
    expect(next.token > held.token).toBe(true);
    expect(performance.now() - began).toBeLessThan(15_000);
    await expect(held.txn([], [{ op: 'put', key: 'both', value: Buffer.from('late') }])).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:staleToken|sessionLost)$/) as unknown,
    });
  }, 40_000);

  it('is told to stop before the store could give it to another, where no majority is left, and the queue goes on afterwards', async () => {
    const [a, b] = [await join({ ttlSeconds: 6 }), await join({ ttlSeconds: 60 })];
    const held = must(await campaign(a, 'quorum'));
    const waiting = campaign(b, 'quorum');
    await expect.poll(async () => (await b.store.list('election/quorum/')).entries.length).toBe(2);
    await Promise.all([cluster.member(0).kill(), cluster.member(1).kill()]);
    await new Promise((resolve) => held.lost.addEventListener('abort', resolve, { once: true }));
    expect(a.session.deadline() - performance.now()).toBeGreaterThan(1_000);
    expect(b.session.lost.aborted).toBe(false);
    await expect(held.txn([], [])).rejects.toMatchObject({ code: 'sessionLost' });
    // Its session may live on when there is a majority again in time: what it held is given up by whoever held it.
    const released = held.release();
    await cluster.restore();
    const leader = must(await waiting);
    await leader.txn([], [{ op: 'put', key: 'order', value: Buffer.from('b') }]);
    await released;
  }, 60_000);
});

it('a counter and a barrier count each once while answers are lost', async () => {
  const random = makeRandom(Date.now() % 1_000_000);
  const members = await Promise.all(Array.from({ length: 5 }, () => join()));
  for (const proxy of cluster.proxies) proxy.cutsAnswer = () => random.between(1, 6) === 1;
  const passed = await Promise.all(members.map((member) => passBarrier(member, 'start', 5)));
  expect(passed.map((each) => must(each).index).sort((x, y) => x - y)).toEqual([0, 1, 2, 3, 4]);
  const adding = members.map(async ({ store }) => {
    let added = 0;
    for (let i = 0; i < 6; i++) {
      const isDone = await addToCounter(store, 'n', 1n).then(
        () => true,
        (error: unknown) => (error as { code?: string }).code !== 'storeUnavailable' && Promise.reject(error as Error),
      );
      if (isDone) added++;
    }
    return added;
  });
  const total = (await Promise.all(adding)).reduce((sum, added) => sum + added, 0);
  for (const proxy of cluster.proxies) proxy.cutsAnswer = () => false;
  expect((await readCounter((await join()).store, 'n')).value).toBe(BigInt(total));
}, 60_000);
