/**
 * Tenants of one real etcd, whose clusters and users are called as is most awkward for it: none sees, blocks, ends or is told of anything that
 * another one has, whatever that is called.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyPrefix } from '../../../src/cluster/store-spec.ts';
import { readClaims } from '../../../src/coordination/claims.ts';
import { addToCounter, readCounter } from '../../../src/coordination/counter.ts';
import { campaign } from '../../../src/coordination/election.ts';
import { deleteValue, getValue, listValues, putValue } from '../../../src/coordination/key-value.ts';
import { acquireLock } from '../../../src/coordination/lock.ts';
import { findName, listNames, registerName } from '../../../src/coordination/names.ts';
import type { Participant } from '../../../src/coordination/participant.ts';
import { acquireSemaphore } from '../../../src/coordination/semaphore.ts';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import { withNamespace } from '../../../src/store/namespace.ts';
import type { Store } from '../../../src/store/store.ts';
import { textOf, WatchReader } from '../contract/context.ts';
import { EtcdCluster } from './cluster.ts';

/** Namespace and login name. Each begins another one's, leads to it in a file system, or has what the keys are made of. */
const owners: readonly (readonly [namespace: string, login: string])[] = [
  ['a', 'b'],
  ['a', 'bb'],
  ['a', 'b/kv'],
  ['a', 'b%2Fkv'],
  ['a.', 'b'],
  ['a', '..'],
  ['..', 'b'],
  ['.', '.'],
  ['a', 'DOM\\jürgen'],
  ['a', '\u{10ffff}'],
];
const names = [
  'x',
  '..',
  '.',
  '/',
  '//',
  '../b/kv/x',
  '../../a/b/kv/x',
  'b/x',
  '%2F',
  '%',
  '*',
  ' ',
  '\\',
  'ü',
  '\u{10ffff}',
  '\u00a0',
];

interface Tenant extends Participant {
  readonly prefix: string;
}

let etcd: EtcdCluster;
let whole: Store;
const tenants: Tenant[] = [];

beforeAll(async () => {
  etcd = await EtcdCluster.start({ members: 1 });
  whole = await openEtcdStore({ urls: etcd.urls });
  for (const [index, [namespace, login]] of owners.entries()) {
    const prefix = keyPrefix({ backend: 'etcd', endpoints: [], namespace }, 'cluster', login);
    const store = withNamespace(await openEtcdStore({ urls: etcd.urls, prefix }), prefix);
    const party = { gpid: index + 1, node: 'n1', command: login, since: 0, within: [] };
    tenants.push({ store, prefix, party, session: await store.openSession(60) });
  }
});
afterAll(async () => {
  for (const { session, store } of tenants) {
    await session.close();
    await store.close();
  }
  await whole.close();
  await etcd.stop();
});

const keysOf = async (store: Store, prefix = ''): Promise<string[]> =>
  (await store.list(prefix)).entries.map(({ key }) => key);

describe('tenants of one etcd', () => {
  it('have prefixes of which none begins another', () => {
    const prefixes = tenants.map(({ prefix }) => prefix);
    expect(new Set(prefixes).size).toBe(owners.length);
    for (const one of prefixes) expect(prefixes.filter((other) => other.startsWith(one))).toEqual([one]);
  });

  it('have each all that there is under every name, at once, and are told of their own alone', async () => {
    const watches: WatchReader[] = [];
    for (const { store } of tenants) watches.push(new WatchReader(store, '', (await store.get('x')).revision + 1n));
    for (const tenant of tenants) {
      const { store, party } = tenant;
      for (const name of names) {
        const now = { timeoutMs: 0 };
        expect(await putValue(store, name, Buffer.from(party.command), { ifRevision: 0n })).toBeDefined();
        expect((await addToCounter(store, name, 1n)).value).toBe(1n);
        expect(await acquireLock(tenant, name, now)).toBeDefined();
        expect(await acquireSemaphore(tenant, name, 1, now)).toBeDefined();
        expect(await campaign(tenant, name, now)).toBeDefined();
        await registerName(tenant, name, party.command);
      }
    }
    for (const [index, { store, party, prefix }] of tenants.entries()) {
      for (const name of names) {
        expect(Buffer.from((await getValue(store, name))?.value ?? []).toString()).toBe(party.command);
        expect((await readCounter(store, name)).value).toBe(1n);
        expect((await findName(store, name))?.party.gpid).toBe(index + 1);
      }
      expect((await listValues(store, '')).values.map(({ key }) => key).toSorted()).toEqual(names.toSorted());
      expect((await listNames(store)).map(({ name }) => name).toSorted()).toEqual(names.toSorted());
      const claims = await readClaims(store);
      expect(claims).toHaveLength(3 * names.length);
      expect(new Set(claims.map((claim) => `${claim.party.gpid} ${claim.state}`))).toEqual(
        new Set([`${index + 1} holds`]),
      );
      const own = (await keysOf(whole, prefix)).map((key) => key.slice(prefix.length));
      expect(await keysOf(store)).toEqual(own);
      const told = (await watches[index]?.events(own.length)) ?? [];
      const keys = new Set(told.map((text) => text.slice(1).split('=')[0]));
      expect(keys).toEqual(new Set(own.map((key) => key.split('=')[0])));
      await watches[index]?.stop();
    }
    expect(await keysOf(whole)).toHaveLength(
      (await Promise.all(tenants.map(({ store }) => keysOf(store)))).flat().length,
    );
  });

  it('find nothing beyond their own by any key, prefix, page, comparison or step', async () => {
    const [victim, ...others] = tenants as [Tenant, ...Tenant[]];
    await putValue(victim.store, 'secret', Buffer.from('mine'));
    const { key, modRevision } = (await victim.store.get('kv/secret')).entry ?? { key: '', modRevision: 0n };
    const full = victim.prefix + key;
    const ways = [key, full, `/${full}`, `../b/${key}`, `../../${full}`, `..%2Fb%2F${key}`, `\u{10ffff}/${full}`];
    const before = (await whole.get(full)).entry;
    for (const { store, prefix } of others) {
      for (const way of ways) {
        expect((await store.get(way)).entry).toBeUndefined();
        expect(await keysOf(store, way)).toEqual([]);
        const { succeeded, results } = await store.txn(
          [{ key: way, on: 'mod', to: modRevision }],
          [{ op: 'put', key: way, value: Buffer.from('theirs') }],
          [
            { op: 'get', key: way },
            { op: 'list', prefix: way },
            { op: 'delete', key: way },
            { op: 'deletePrefix', prefix: way },
          ],
        );
        expect(succeeded).toBe(false);
        expect(results).toMatchObject([{}, { entries: [], more: false }, { deleted: 0 }, { deleted: 0 }]);
        expect(results[0]).not.toHaveProperty('entry');
        expect(await deleteValue(store, way)).toBe(false);
      }
      const all = await keysOf(store);
      for (const after of ['', '\0', ' ', '0', '~', 'ü', '\u{10ffff}', '\u{10ffff}'.repeat(200)]) {
        const page = (await store.list('', { after })).entries.map((entry) => entry.key);
        expect(page).toEqual(all.filter((each) => Buffer.compare(Buffer.from(each), Buffer.from(after)) > 0));
      }
      for (const entry of (await store.list('')).entries)
        expect((await whole.get(prefix + entry.key)).entry).toBeDefined();
    }
    expect((await whole.get(full)).entry).toEqual(before);
    expect(textOf(before)).toBe('mine');
  });

  it('lose what they delete, and nobody else anything: everything below nothing, and a session with all it holds', async () => {
    for (const [index, { store, session, prefix }] of tenants.entries()) {
      const others = async (): Promise<string[]> => (await keysOf(whole)).filter((key) => !key.startsWith(prefix));
      const before = await others();
      const isEven = index % 2 === 0;
      if (isEven) await store.txn([], [{ op: 'deletePrefix', prefix: '' }]);
      else await session.close();
      expect(await others()).toEqual(before);
      const left = await keysOf(store);
      // What belongs to no session stays where that alone has ended.
      const stays = /^(?:kv|counter|semaphore\/[^/]*\/size)/;
      expect(left.filter((key) => isEven || !stays.test(key))).toEqual([]);
    }
  });
});
