/** An etcd that was set up anew under the same addresses, with less in it than its clients have seen. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { waitUntil } from '../../e2e/wait-until.ts';
import { read, WatchReader, write } from '../contract/context.ts';
import { EtcdCluster } from './cluster.ts';

let cluster: EtcdCluster;
let store: Store;

beforeAll(async () => {
  cluster = await EtcdCluster.start({ members: 1 });
  store = await openEtcdStore({ urls: cluster.urls });
});
afterAll(async () => {
  await store.close();
  await cluster.stop();
});

it('ends watches as if it had been compacted, and sessions; what is begun then works', async () => {
  const first = await write(store, 'key', '1');
  const reader = new WatchReader(store, '', first);
  for (const text of ['2', '3', '4']) await write(store, 'key', text);
  await reader.events(4);
  const session = await store.openSession(60);
  const [member] = cluster.members;
  await member?.kill();
  await member?.forget();
  member?.start();
  await cluster.waitUntilServing();
  expect(await reader.ended).toMatchObject({ code: 'storeCompacted' });
  await waitUntil(
    () =>
      session.renew().then(
        () => false,
        () => session.lost.aborted,
      ),
    'the session to be lost',
  );
  const { revision } = await store.list('');
  const again = new WatchReader(store, '', revision + 1n);
  await write(store, 'key', 'new');
  expect(await again.events(1)).toEqual(['+key=new']);
  const other = await store.openSession(60);
  await other.renew();
  await other.close();
  expect(await read(store, 'key')).toBe('new');
  await again.stop();
});
