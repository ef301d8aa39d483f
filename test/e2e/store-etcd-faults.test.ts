/** A cluster whose store is an etcd of three members with TLS, used through this machine's agent while etcd and agent are killed. */
import { userInfo } from 'node:os';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openEtcdStore } from '../../src/store/etcd/etcd-store.ts';
import type { Store } from '../../src/store/store.ts';
import { put, read, WatchReader, write } from '../store/contract/context.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { startStoreCluster, type StoreCluster } from './store-cluster.ts';
import { waitUntil } from './wait-until.ts';

let etcd: EtcdCluster;
let stores: StoreCluster;
let store: Store;
/** Straight to etcd, past agent and namespace. */
let direct: Store;

beforeAll(async () => {
  etcd = await EtcdCluster.start({ tls: true });
  if (etcd.certificates === undefined) throw new Error('no certificates');
  const { ca, clientCert: cert, clientKey: key } = etcd.certificates;
  const entry = { etcd: etcd.proxiedUrls, ca, cert, key, namespace: 'staging' };
  stores = await startStoreCluster({ count: 1, file: { extra: `store: ${JSON.stringify(entry)}` } });
  store = await stores.open();
  direct = await openEtcdStore({ urls: etcd.urls, tls: { ca, cert, key } });
});
afterEach(() => etcd.restore());
afterAll(async () => {
  await stores.close();
  await direct.close();
  await etcd.stop();
});

const status = (...args: readonly string[]) => stores.cluster.nsh(['store', 'status', ...args], { timeoutMs: 30_000 });

it('is told of by nsh store status, with its members, and that it survives the loss of one', async () => {
  const { stdout, status: code } = await status();
  expect(stdout).toMatch(/^store +etcd at https:/m);
  expect(stdout).toMatch(/^health +ok$/m);
  for (const { name } of etcd.members) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'));
  expect(code).toBe(0);
  expect(JSON.parse((await status('--json')).stdout)).toMatchObject({
    backend: 'etcd',
    health: 'ok',
    faultTolerant: true,
    members: etcd.members.map(() => ({ name: expect.stringMatching(/^m\d$/) as unknown })),
  });
});

it('has the keys of this user and namespace apart from all others', async () => {
  const mine = `nsh/staging/${userInfo().username}/`;
  await write(store, 'key', 'x');
  await write(direct, 'nsh/staging/somebody/key', 'y');
  expect(await read(direct, `${mine}key`)).toBe('x');
  expect((await store.list('')).entries.map(({ key }) => key)).toEqual(['key']);
  await store.txn([], [{ op: 'deletePrefix', prefix: '' }]);
  expect(await read(direct, 'nsh/staging/somebody/key')).toBe('y');
});

it('tells a watch each change once, and keeps a session, while the leader of etcd and the agent are killed', async () => {
  const session = await store.openSession(8);
  await store.txn([], [{ op: 'put', key: 'held', value: Buffer.from(''), session: session.id }]);
  const { revision } = await store.txn([], [{ op: 'deletePrefix', prefix: 'w/' }]);
  const reader = new WatchReader(store, 'w/', revision + 1n);
  const written: string[] = [];
  const writeSome = async (): Promise<void> => {
    for (const enough = written.length + 15; written.length < enough; ) {
      const key = `w/${String(written.length).padStart(3, '0')}`;
      // Where it is not known whether it was put it is tried again, and then not put twice.
      await store.txn([{ key, on: 'create', to: 0n }], [put(key, '')]).then(
        () => written.push(key),
        () => undefined,
      );
    }
  };
  await writeSome();
  await etcd.member(await etcd.leader()).kill();
  await writeSome();
  for (const pid of stores.cluster.localDaemons()) process.kill(pid, 'SIGKILL');
  await writeSome();
  expect(await reader.events(written.length)).toEqual(written.map((key) => `+${key}=`));
  const before = session.deadline();
  await waitUntil(() => session.deadline() > before, 'a renewal');
  expect(await read(store, 'held')).toBe('');
  await session.close();
  expect(await read(store, 'held')).toBeUndefined();
  await reader.stop();
});

it('is down, and says why, when it cannot be reached', async () => {
  for (const proxy of etcd.proxies) proxy.mode = 'refuse';
  // Once that has failed all connections are known to be lost, and a write is certainly not sent.
  await expect(store.get('key')).rejects.toMatchObject({ code: 'storeUnavailable' });
  await expect(write(store, 'key', 'x')).rejects.toMatchObject({ code: 'storeUnavailable' });
  const { stdout, status: code } = await status();
  expect(stdout).toMatch(/^health +down$/m);
  expect(stdout).toContain(`etcd at ${etcd.proxiedUrls[0]}: `);
  expect(code).toBe(3);
  etcd.heal();
  await waitUntil(
    () =>
      write(store, 'key', 'y').then(
        () => true,
        () => false,
      ),
    'etcd to be found again',
  );
});
