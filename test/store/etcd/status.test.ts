/** What `status` tells of a real etcd that is well, ill and dead. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import type { Store, StoreStatus } from '../../../src/store/store.ts';
import { waitUntil } from '../../e2e/wait-until.ts';
import { EtcdCluster } from './cluster.ts';

let cluster: EtcdCluster;
const stores: Store[] = [];
const statusAt = async (...urls: string[]): Promise<StoreStatus> => {
  const store = await openEtcdStore({ urls });
  stores.push(store);
  return await store.status();
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

it('tells of all members, also those that it was not told of, and that one may be lost', async () => {
  const status = await statusAt(cluster.urls[1] ?? '');
  expect(status).toMatchObject({ backend: 'etcd', endpoints: [cluster.urls[1]], health: 'ok', faultTolerant: true });
  expect(status.members.map(({ name, endpoint }) => `${name} ${endpoint}`).toSorted()).toEqual(
    cluster.members.map(({ name, url }) => `${name} ${url}`),
  );
  expect(status.members.filter(({ leader }) => leader)).toHaveLength(1);
  expect(status.version).toMatch(/^3\.\d+\.\d+/);
  expect(status.sizeBytes).toBeGreaterThan(0);
  const isOld = /^3\.[0-4]\./.test(status.version ?? '');
  expect(status.warnings.map((text) => text.includes('older than 3.5'))).toEqual(isOld ? [true] : []);
});

it('is degraded with a member dead, names it, and says that no other one may be lost', async () => {
  const follower = await cluster.follower();
  await cluster.member(follower).kill();
  const status = await statusAt(...cluster.urls);
  expect(status).toMatchObject({ health: 'degraded', faultTolerant: false });
  const dead = status.members.find(({ name }) => name === cluster.member(follower).name);
  expect(dead?.problem).toMatch(/ECONNREFUSED/);
  expect(status.warnings.join('\n')).toContain(`etcd member m${follower} (${cluster.member(follower).url})`);
});

it('tells of a frozen member within seconds', async () => {
  const follower = await cluster.follower();
  cluster.member(follower).freeze();
  const begin = performance.now();
  const status = await statusAt(...cluster.urls);
  expect(performance.now() - begin).toBeLessThan(6_000);
  expect(status.members.find(({ name }) => name === `m${follower}`)?.problem).toMatch(/in time/);
  expect(status.health).toBe('degraded');
});

it('is down without a majority, and says what the last member says', async () => {
  await Promise.all([cluster.member(0).kill(), cluster.member(1).kill()]);
  await waitUntil(async () => (await cluster.member(2).raftState())?.leader === '0', 'the last member to be alone');
  const status = await statusAt(...cluster.urls);
  expect(status).toMatchObject({ health: 'down', faultTolerant: false });
  expect(status.revision).toBeUndefined();
  expect(status.members.find(({ name }) => name === 'm2')?.problem).toMatch(/no leader/);
});

it('is down, and no error, where nobody is there at all', async () => {
  const status = await statusAt('http://127.0.0.1:1');
  expect(status).toMatchObject({ health: 'down', faultTolerant: false, members: [{ endpoint: 'http://127.0.0.1:1' }] });
  expect(status.version).toBeUndefined();
  expect(status.warnings.join('\n')).toMatch(/ECONNREFUSED/);
});
