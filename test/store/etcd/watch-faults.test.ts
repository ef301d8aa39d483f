/** Watches while connections are cut, members killed, parted and silent: every revision once, whole and in order. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import { Endpoints } from '../../../src/store/etcd/endpoints.ts';
import { watchPrefix, type WatchTiming } from '../../../src/store/etcd/watch.ts';
import type { Store } from '../../../src/store/store.ts';
import { waitUntil } from '../../e2e/wait-until.ts';
import { put, WatchReader, write } from '../contract/context.ts';
import { EtcdCluster } from './cluster.ts';

let cluster: EtcdCluster;
const stores: Store[] = [];

const open = async (urls: readonly string[]): Promise<Store> => {
  const store = await openEtcdStore({ urls });
  stores.push(store);
  return store;
};
const revisionOf = async (store: Store): Promise<bigint> => (await store.get('none')).revision;

/** Writes from several clients until `enough`; a write that fails is not done again. Gives the revisions of those that were acknowledged. */
async function writeOn(clients: number, enough: () => boolean): Promise<bigint[]> {
  const written: bigint[] = [];
  const one = async (client: number): Promise<void> => {
    const store = await open(cluster.urls);
    for (let i = 0; !enough(); i++) {
      const ops = Array.from({ length: 1 + (i % 3) }, (_, n) => put(`w/${client}/${n}`, String(i)));
      const done = await store.txn([], ops, [], { deadlineMs: 2_000 }).catch(() => undefined);
      if (done !== undefined) written.push(done.revision);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => one(client)));
  return written;
}

/** Everything from `first` to `last` once and in order, and each batch whole: its keys are numbered from 0 on. */
function expectWhole(reader: WatchReader, first: bigint, last: bigint): void {
  const revisions = reader.batches.map(({ revision }) => revision);
  expect(revisions).toEqual(Array.from({ length: Number(last - first) + 1 }, (_, i) => first + BigInt(i)));
  for (const { events, revision } of reader.batches) {
    const told = events.map((event) =>
      event.type === 'put' ? [event.key.split('/')[2], String(event.entry.value), event.entry.modRevision] : [],
    );
    const value = String(told[0]?.[1]);
    expect(told).toEqual(Array.from({ length: 1 + (Number(value) % 3) }, (_, n) => [String(n), value, revision]));
  }
}

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

it('loses and doubles nothing while its connections are cut again and again, and many write', async () => {
  const store = await open(cluster.proxiedUrls);
  const first = (await revisionOf(store)) + 1n;
  const reader = new WatchReader(store, '', first);
  let cuts = 0;
  const writing = writeOn(4, () => cuts >= 15);
  for (; cuts < 15; cuts++) {
    const seen = reader.batches.length;
    await waitUntil(() => reader.batches.length > seen + 20, 'the watch to go on');
    for (const proxy of cluster.proxies) proxy.cutAll();
  }
  const written = await writing;
  const last = await revisionOf(store);
  await waitUntil(() => reader.batches.at(-1)?.revision === last, 'the last revision');
  expectWhole(reader, first, last);
  expect(written.every((revision) => revision >= first && revision <= last)).toBe(true);
  await reader.stop();
});

it('loses and doubles nothing while the leader is killed and comes back, and while members are parted', async () => {
  const store = await open(cluster.urls);
  const first = (await revisionOf(store)) + 1n;
  const readers = await Promise.all(
    cluster.urls.map(async (url) => new WatchReader(await open([url, ...cluster.urls]), '', first)),
  );
  let isEnough = false;
  const writing = writeOn(3, () => isEnough);
  const goesOn = async (): Promise<void> => {
    const seen = readers.map(({ batches }) => batches.length);
    await waitUntil(
      () => readers.every(({ batches }, i) => batches.length > (seen[i] ?? 0) + 20),
      'all watches to go on',
    );
  };
  await goesOn();
  const leader = cluster.member(await cluster.leader());
  await leader.kill();
  await goesOn();
  leader.start();
  await cluster.waitUntilServing();
  cluster.isolate(await cluster.leader());
  await goesOn();
  cluster.heal();
  await goesOn();
  isEnough = true;
  await writing;
  const last = await revisionOf(store);
  for (const reader of readers) {
    await waitUntil(() => reader.batches.at(-1)?.revision === last, 'the last revision');
    expectWhole(reader, first, last);
    await reader.stop();
  }
});

it('leaves a member that says nothing any more, though its connection stands', async () => {
  const endpoints = await Endpoints.open({ urls: cluster.proxiedUrls });
  const store = await open(cluster.urls);
  const next = (await revisionOf(store)) + 1n;
  const controller = new AbortController();
  const watch = watchPrefix(endpoints, 's/', next, controller, { progressMs: 100, silenceMs: 400 });
  cluster.admitOnly(0);
  const first = watch.next();
  const revision = await write(store, 's/1', 'x');
  expect((await first).value).toMatchObject({ revision });
  cluster.heal();
  cluster.proxy(0).mode = 'swallow';
  const begin = performance.now();
  const second = watch.next();
  const later = await write(store, 's/2', 'y');
  expect((await second).value).toMatchObject({ revision: later });
  // Sooner than gRPC itself gives a connection up: 6 s until it asks, and 3 s for the answer.
  expect(performance.now() - begin).toBeLessThan(6_000);
  controller.abort();
  expect((await watch.next()).done).toBe(true);
  endpoints.close();
});

it('stays with a member that is only quiet, and with a reader that is slow', async () => {
  const endpoints = await Endpoints.open({ urls: cluster.urls.slice(0, 1) });
  const streams = vi.spyOn(endpoints.current, 'stream');
  const store = await open(cluster.urls);
  const next = (await revisionOf(store)) + 1n;
  const controller = new AbortController();
  const silenceMs = 800;
  const watch = watchPrefix(endpoints, 's/', next, controller, { progressMs: 100, silenceMs });
  const quiet = watch.next();
  const begin = performance.now();
  await waitUntil(() => performance.now() > begin + 1.5 * silenceMs, 'a while');
  await write(store, 's/1', 'x');
  await quiet;
  const slow = performance.now();
  await waitUntil(() => performance.now() > slow + 1.5 * silenceMs, 'a while');
  await write(store, 's/2', 'y');
  await watch.next();
  expect(streams).toHaveBeenCalledTimes(1);
  controller.abort();
  await watch.return();
  endpoints.close();
});

/** Watches of the same member, begun; `progress` counts what they ask it for, `streams` how often one was opened. */
async function beginWatches(count: number, timing: WatchTiming, isDeaf: (stream: number) => boolean = () => false) {
  const endpoints = await Endpoints.open({ urls: cluster.urls.slice(0, 1) });
  const { current } = endpoints;
  const seen = { progress: 0, streams: 0 };
  const begin = current.stream.bind(current) as (method: unknown) => { write: (request: object) => boolean };
  vi.spyOn(current, 'stream').mockImplementation(((method: unknown) => {
    const stream = begin(method);
    const index = seen.streams++;
    const send = stream.write.bind(stream);
    stream.write = (request) => {
      if (!('progress' in request)) return send(request);
      seen.progress++;
      return isDeaf(index) || send(request);
    };
    return stream;
  }) as unknown as typeof current.stream);
  const next = (await revisionOf(await open(cluster.urls))) + 1n;
  const controller = new AbortController();
  const watches = Array.from({ length: count }, () => watchPrefix(endpoints, 's/', next, controller, timing));
  const pending = watches.map((watch) => watch.next());
  await waitUntil(() => seen.streams === count, 'the watches');
  const end = async (): Promise<void> => {
    controller.abort();
    await Promise.all(pending);
    endpoints.close();
  };
  return { seen, end };
}

it('asks for a sign of life once for all watches of a member', async () => {
  const { seen, end } = await beginWatches(8, { progressMs: 100, silenceMs: 5_000 });
  const begin = performance.now();
  await waitUntil(() => seen.progress >= 12, 'signs of life');
  // Eight that ask each for itself would need two tenths of a second for that.
  expect(performance.now() - begin).toBeGreaterThan(400);
  await end();
});

it('leaves a watch that is told nothing for long, though the member answers others, and leaves those alone', async () => {
  const { seen, end } = await beginWatches(2, { progressMs: 50, silenceMs: 200 }, (stream) => stream === 0);
  const begin = performance.now();
  await waitUntil(() => seen.streams > 2, 'another stream');
  // Eight times as seldom as it asks a member that says nothing at all.
  expect(performance.now() - begin).toBeGreaterThan(500);
  expect(seen.streams).toBe(3);
  await end();
});

it('throws storeCompacted with the revision when that passed it by while it was cut off, and nothing is lost without a word', async () => {
  const direct = await open(cluster.urls);
  const cutOff = await open(cluster.proxiedUrls);
  const first = await write(direct, 'c/1', 'x');
  const reader = new WatchReader(cutOff, 'c/', first);
  await reader.events(1);
  for (const proxy of cluster.proxies) proxy.mode = 'refuse';
  await direct.txn([], [{ op: 'delete', key: 'c/1' }]);
  const last = await write(direct, 'c/2', 'y');
  await direct.compact(last);
  cluster.heal();
  expect(await reader.ended).toMatchObject({ code: 'storeCompacted', data: { revision: String(last) } });
});

it('goes on after a reader that did not read for a while, with all that came meanwhile', async () => {
  const store = await open(cluster.urls);
  const first = (await revisionOf(store)) + 1n;
  const watch = store.watch('slow/', first)[Symbol.asyncIterator]();
  await write(store, 'slow/0', '0');
  await watch.next();
  const value = new Uint8Array(100_000).fill(120);
  for (let i = 1; i <= 60; i++) await store.txn([], [{ op: 'put', key: `slow/${i}`, value }]);
  await write(store, 'slow/end', 'end');
  const keys: string[] = [];
  while (keys.at(-1) !== 'slow/end') {
    const { value: batch } = (await watch.next()) as { value: { events: readonly { key: string }[] } };
    keys.push(...batch.events.map(({ key }) => key));
  }
  expect(keys).toEqual([...Array.from({ length: 60 }, (_, i) => `slow/${i + 1}`), 'slow/end']);
  await watch.return?.();
});
