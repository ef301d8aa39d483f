/** Sessions while members die and connections are lost: whoever holds one knows that it is over before etcd ends it, and not sooner than needed. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Endpoints } from '../../../src/store/etcd/endpoints.ts';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import { EtcdCalls } from '../../../src/store/etcd/etcd-calls.ts';
import { isUnavailable } from '../../../src/store/errors.ts';
import type { Store, StoreSession } from '../../../src/store/store.ts';
import { waitUntil } from '../../e2e/wait-until.ts';
import { bytes, read, WatchReader } from '../contract/context.ts';
import { EtcdCluster } from './cluster.ts';

let cluster: EtcdCluster;
const stores: Store[] = [];
let count = 0;

const open = async (urls: readonly string[]): Promise<Store> => {
  const store = await openEtcdStore({ urls });
  stores.push(store);
  return store;
};
const hold = async (
  store: Store,
  session: StoreSession,
): Promise<{ readonly key: string; readonly revision: bigint }> => {
  const key = `held/${++count}`;
  const { revision } = await store.txn([], [{ op: 'put', key, value: bytes('x'), session: session.id }]);
  return { key, revision };
};
const lossOf = async (session: StoreSession): Promise<number> => {
  await waitUntil(() => session.lost.aborted, 'the session to be lost');
  return performance.now();
};

beforeAll(async () => {
  cluster = await EtcdCluster.start();
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await cluster.restore();
});
afterAll(async () => {
  await cluster.stop();
});

it.each(['swallow', 'swallow-answers'] as const)(
  'is lost by our own clock before its entries go, when connections %s',
  async (mode) => {
    const direct = await open(cluster.urls);
    const cutOff = await open(cluster.proxiedUrls);
    const session = await cutOff.openSession(2);
    const { key, revision } = await hold(cutOff, session);
    const reader = new WatchReader(direct, key, revision + 1n);
    for (const proxy of cluster.proxies) proxy.mode = mode;
    const gone = reader.events(1).then(() => performance.now());
    const lostAt = await lossOf(session);
    expect(await read(direct, key)).toBe('x');
    expect(lostAt).toBeGreaterThanOrEqual(session.deadline());
    expect(lostAt).toBeLessThan(session.deadline() + 500);
    expect(await gone).toBeGreaterThan(lostAt);
    await expect(session.renew()).rejects.toMatchObject({ code: 'sessionLost' });
    expect(session.lost.reason).toMatchObject({ code: 'sessionLost', data: { session: session.id } });
    await reader.stop();
  },
);

it('lives on over the death of the leader', async () => {
  const store = await open(cluster.urls);
  const session = await store.openSession(4);
  const { key } = await hold(store, session);
  const before = session.deadline();
  await cluster.member(await cluster.leader()).kill();
  await waitUntil(() => session.deadline() > before + 1_000, 'a renewal');
  expect(session.lost.aborted).toBe(false);
  expect(await read(store, key)).toBe('x');
  await session.close();
});

it('lives on when the member that it renews at is frozen', async () => {
  const follower = await cluster.follower();
  const store = await open(cluster.proxiedUrls);
  cluster.admitOnly(follower);
  const session = await store.openSession(4);
  const { key } = await hold(store, session);
  cluster.heal();
  const before = session.deadline();
  cluster.member(follower).freeze();
  await waitUntil(() => session.deadline() > before + 1_000, 'a renewal');
  expect(session.lost.aborted).toBe(false);
  expect(await read(store, key)).toBe('x');
  await session.close();
});

it('answers storeUnavailable to a renewal that finds nobody, and goes on once somebody is there', async () => {
  const store = await open(cluster.proxiedUrls);
  const session = await store.openSession(4);
  const before = session.deadline();
  for (const proxy of cluster.proxies) proxy.mode = 'refuse';
  await expect(session.renew({ deadlineMs: 300 })).rejects.toSatisfy(isUnavailable);
  expect(session.deadline()).toBe(before);
  cluster.heal();
  await waitUntil(() => session.deadline() > before, 'a renewal by itself');
  await session.close();
});

it('counts its deadline from the sending of a renewal, however late the answer', async () => {
  const store = await open(cluster.proxiedUrls);
  const session = await store.openSession(60);
  const delayMs = 300;
  for (const proxy of cluster.proxies) proxy.delayMs = delayMs;
  const sent = performance.now();
  await session.renew();
  expect(performance.now()).toBeGreaterThan(sent + delayMs);
  expect(session.deadline()).toBeLessThan(sent + 60_000 + delayMs / 2);
  expect(session.deadline()).toBeGreaterThanOrEqual(sent + 60_000);
  await session.close();
});

it('is lost when the event loop was blocked past its deadline, though etcd would still take a renewal', async () => {
  const store = await open(cluster.urls);
  const session = await store.openSession(2);
  const deadline = session.deadline();
  while (performance.now() < deadline + 50); // Nothing else runs meanwhile.
  expect(session.deadline()).toBeLessThan(performance.now());
  expect(await lossOf(session)).toBeLessThan(performance.now() + 1_000);
});

it('does not take the word of a member that has not heard of the present leader', async () => {
  const endpoints = await Endpoints.open({ urls: [cluster.urls[0] ?? ''] });
  const calls = new EtcdCalls(endpoints);
  const { id } = await calls.grant(10, {});
  expect(await calls.renew(id, {})).toEqual({ ttlMs: 10_000 });
  endpoints.noteTerm(1_000_000n);
  await expect(calls.renew(id, { deadlineMs: 500 })).rejects.toThrow(/has not heard of the present leader/);
  await calls.revoke(id, {});
  endpoints.close();
});
