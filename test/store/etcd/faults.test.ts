/** Calls while members of etcd are killed, frozen, parted from each other, and while answers are lost: what was done is never done twice. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isUnavailable, isUnknown } from '../../../src/store/errors.ts';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { waitUntil } from '../../e2e/wait-until.ts';
import { isAbsent, put, read, write } from '../contract/context.ts';
import { EtcdCluster } from './cluster.ts';

let cluster: EtcdCluster;
const stores: Store[] = [];
let count = 0;

const open = async (...urls: string[]): Promise<Store> => {
  const store = await openEtcdStore({ urls });
  stores.push(store);
  return store;
};
const newKey = (): string => `faults/${++count}`;
const codeOf = (failed: unknown): unknown => (failed as { readonly code?: unknown }).code;
const codeOfNext = (watch: AsyncIterator<unknown>): Promise<unknown> => outcomeOf(watch.next());
const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'done',
    (error: unknown) => codeOf(error),
  );

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

describe('a write whose answer is lost', () => {
  it('is storeUnknown, was done, and done once', async () => {
    const store = await open(...cluster.proxiedUrls);
    const key = newKey();
    await write(store, `${key}/warm`, '');
    for (const proxy of cluster.proxies) proxy.cutsAnswer = () => true;
    for (let i = 1; i <= 5; i++) {
      await expect(write(store, `${key}/${i}`, 'x')).rejects.toSatisfy(isUnknown);
    }
    for (const proxy of cluster.proxies) proxy.cutsAnswer = () => false;
    const { entries } = await store.list(`${key}/`);
    expect(entries.map(({ version }) => version)).toEqual([1n, 1n, 1n, 1n, 1n, 1n]);
  });

  it('is storeUnknown at its deadline where the member is frozen, and the next call asks another one', async () => {
    const follower = await cluster.follower();
    const key = newKey();
    const store = await open(...cluster.proxiedUrls);
    cluster.admitOnly(follower);
    await write(store, key, 'before');
    cluster.heal();
    cluster.member(follower).freeze();
    await expect(store.txn([], [put(`${key}/1`, 'x')], [], { deadlineMs: 300 })).rejects.toSatisfy(isUnknown);
    await write(store, `${key}/2`, 'y');
    cluster.member(follower).thaw();
    await cluster.waitUntilServing();
    const { entries } = await store.list(`${key}/`);
    expect(entries.at(-1)?.key).toBe(`${key}/2`);
  });
});

describe('a write that cannot be sent', () => {
  it('is storeUnavailable, says why for each endpoint, and was not done', async () => {
    const store = await open(...cluster.proxiedUrls);
    const key = newKey();
    for (const proxy of cluster.proxies) proxy.mode = 'refuse';
    const failed: unknown = await write(store, key, 'x').catch((error: unknown) => error);
    expect(failed).toSatisfy(isUnavailable);
    for (const url of cluster.proxiedUrls) expect(String(failed)).toContain(`etcd at ${url}: `);
    const direct = await open(...cluster.urls);
    expect(await read(direct, key)).toBeUndefined();
    cluster.heal();
    await write(store, key, 'y');
    expect(await read(direct, key)).toBe('y');
  });

  it('goes to the next endpoint where the first is down', async () => {
    const store = await open('http://127.0.0.1:1', cluster.urls[0] ?? '', 'http://nobody.invalid:2379');
    const key = newKey();
    await write(store, key, 'x');
    expect(await read(store, key)).toBe('x');
  });
});

describe('a read', () => {
  it('asks another member within its deadline when the first is frozen', async () => {
    const follower = await cluster.follower();
    const key = newKey();
    const direct = await open(...cluster.urls);
    await write(direct, key, 'x');
    cluster.member(follower).freeze();
    for (let i = 0; i < 3; i++) expect(await read(await open(...cluster.urls), key)).toBe('x');
  });

  it('that was given up while a frozen member was asked leaves that for the next one', async () => {
    const key = newKey();
    const direct = await open(...cluster.urls);
    await write(direct, key, 'x');
    // Each begins at one of the members by chance.
    const clients = await Promise.all(Array.from({ length: 8 }, () => open(...cluster.urls)));
    cluster.member(await cluster.follower()).freeze();
    const ask = (store: Store): Promise<unknown> =>
      store.get(key, { deadlineMs: 60_000, signal: AbortSignal.timeout(1_500) });
    await Promise.allSettled(clients.map(ask));
    const later = await Promise.allSettled(clients.map(ask));
    expect(later.map(({ status }) => status)).toEqual(clients.map(() => 'fulfilled'));
  });

  it('is not answered by a member that is cut off from the others, a bare comparison neither', async () => {
    const follower = await cluster.follower();
    const key = newKey();
    const [direct, cutOff] = [await open(...cluster.urls), await open(cluster.member(follower).url)];
    await write(cutOff, key, 'old');
    cluster.isolate(follower);
    const others = cluster.members.filter((_, index) => index !== follower);
    await cluster.waitUntilServing(others);
    const fresh = await open(...others.map(({ url }) => url));
    await write(fresh, key, 'new');
    const brief = { deadlineMs: 300 };
    await expect(cutOff.get(key, brief)).rejects.toSatisfy(isUnavailable);
    await expect(cutOff.list(key, brief)).rejects.toSatisfy(isUnavailable);
    const isOld = { key, on: 'version', to: 1n } as const;
    await expect(cutOff.txn([isOld], [], [], brief)).rejects.toSatisfy(isUnavailable);
    await expect(cutOff.txn([isOld], [{ op: 'get', key }], [], brief)).rejects.toSatisfy(isUnavailable);
    expect(await read(direct, key)).toBe('new');
  });
});

describe('many calls at once', () => {
  it('are all answered, and none is taken for a leak', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(String(warning));
    process.on('warning', note);
    const store = await open(...cluster.urls);
    const key = newKey();
    const watches = Array.from({ length: 20 }, () => store.watch(key, 1_000_000n)[Symbol.asyncIterator]());
    const waiting = watches.map((watch) => codeOfNext(watch));
    await Promise.all(Array.from({ length: 100 }, (_, i) => write(store, `${key}/${i}`, 'x')));
    expect((await store.list(`${key}/`)).entries).toHaveLength(100);
    await store.close();
    expect(await Promise.all(waiting)).toEqual(watches.map(() => 'storeClosed'));
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('a list', () => {
  it('of more than the 4 MiB that gRPC takes by itself comes whole', async () => {
    const store = await open(...cluster.urls);
    const key = newKey();
    const value = Buffer.alloc(1_000_000, 'x');
    for (let i = 0; i < 6; i++) await store.txn([], [{ op: 'put', key: `${key}/${i}`, value }]);
    const { entries, more } = await store.list(`${key}/`);
    expect([entries.map((entry) => entry.value.length), more]).toEqual([Array<number>(6).fill(1_000_000), false]);
    await store.txn([], [{ op: 'deletePrefix', prefix: `${key}/` }]);
  });
});

describe('the death of a member', () => {
  it('loses nothing that was acknowledged, also when it is the leader, and holds writers up for a few seconds', async () => {
    const key = newKey();
    const store = await open(...cluster.urls);
    const leader = await cluster.leader();
    const acknowledged: string[] = [];
    let gap = 0;
    let last = performance.now();
    const writeOn = async (enough: () => boolean): Promise<void> => {
      while (!enough()) {
        const name = `${key}/${acknowledged.length}`;
        const outcome = await outcomeOf(store.txn([isAbsent(name)], [put(name, 'x')], [], { deadlineMs: 1_000 }));
        if (outcome !== 'done') continue;
        acknowledged.push(name);
        gap = Math.max(gap, performance.now() - last);
        last = performance.now();
      }
    };
    await writeOn(() => acknowledged.length >= 50);
    await cluster.member(leader).kill();
    await writeOn(() => acknowledged.length >= 100);
    expect(gap).toBeLessThan(8_000);
    cluster.member(leader).start();
    await cluster.waitUntilServing();
    const { entries } = await store.list(`${key}/`);
    expect(new Set(entries.map((entry) => entry.key))).toEqual(new Set(acknowledged));
    expect(entries.map(({ version }) => version)).toEqual(acknowledged.map(() => 1n));
  });

  it('stops everything when it is one too many, and all goes on when it is back', async () => {
    const store = await open(...cluster.urls);
    const key = newKey();
    await write(store, key, 'before');
    const [first, second] = [cluster.member(0), cluster.member(1)];
    await Promise.all([first.kill(), second.kill()]);
    await waitUntil(async () => (await cluster.member(2).raftState())?.leader === '0', 'the last member to be alone');
    await expect(store.get(key, { deadlineMs: 500 })).rejects.toThrow(/no leader|cannot reach/);
    expect(await outcomeOf(store.txn([], [put(`${key}/lost`, 'x')], [], { deadlineMs: 500 }))).toBe('storeUnavailable');
    first.start();
    await cluster.waitUntilServing([first, cluster.member(2)]);
    expect(await read(store, key)).toBe('before');
    expect(await read(store, `${key}/lost`)).toBeUndefined();
    await write(store, key, 'after');
  });
});
