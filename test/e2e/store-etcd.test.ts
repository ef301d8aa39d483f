/** A cluster whose store is an etcd with client certificates: used through the agents, parted by namespaces, told by `nsh store status`. */
import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectCluster } from '../../src/cluster/connect.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import { openEtcdStore } from '../../src/store/etcd/etcd-store.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { put, read, WatchReader, write } from '../store/contract/context.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let etcd: EtcdCluster;
let cluster: NshCluster;
const clients: ClusterClient[] = [];
const urls = (): string => JSON.stringify(etcd.urls);

beforeAll(async () => {
  [etcd, cluster] = await Promise.all([EtcdCluster.start({ members: 1, tls: true }), startCluster({ count: 1 })]);
});
afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.stop();
  await etcd.stop();
});

function tls(): { readonly ca: string; readonly cert: string; readonly key: string } {
  const { ca = '', clientCert = '', clientKey = '' } = etcd.certificates ?? {};
  return { ca, cert: clientCert, key: clientKey };
}

/** Path of a cluster file that names the etcd. */
async function fileOf(name: string, more: string): Promise<string> {
  const { ca, cert, key } = tls();
  const store = `store: {etcd: ${urls()}, ca: ${ca}, cert: ${cert}, key: ${key}${more}}`;
  return await cluster.hosts.clusterFile({ cluster: name, fileName: `${name}.yaml`, extra: store });
}

async function storeOf(file: string) {
  const client = connectCluster(await loadCluster({ flag: file, env: cluster.env }), { env: cluster.env });
  clients.push(client);
  return await client.store();
}

it('serves through the agent of this machine, which alone speaks to it', async () => {
  const store = await storeOf(await fileOf('one', ''));
  const { revision } = await store.get('key');
  const reader = new WatchReader(store, '', revision + 1n);
  const session = await store.openSession(60);
  await write(store, 'key', 'one');
  await store.txn([], [{ op: 'put', key: 'held', value: Buffer.from(''), session: session.id }]);
  await session.renew();
  await session.close();
  expect(await reader.events(3)).toEqual(['+key=one', '+held=', '-held']);
  await expect(session.renew()).rejects.toMatchObject({ code: 'sessionLost' });
  await reader.stop();
});

it('parts namespaces and users', async () => {
  const mine = await storeOf(await fileOf('two', ', namespace: prod'));
  const other = await storeOf(await fileOf('three', ', namespace: prod, user: somebody'));
  for (const store of [mine, other]) await store.txn([], [{ op: 'deletePrefix', prefix: '' }]);
  await write(mine, 'db/primary', 'mine');
  expect((await other.list('')).entries).toEqual([]);
  const whole = await openEtcdStore({ urls: etcd.urls, tls: tls() });
  const { entries } = await whole.list('nsh/prod/');
  expect(entries.map(({ key }) => key)).toEqual([`nsh/prod/${userInfo().username}/db/primary`]);
  await whole.close();
  await other.txn([], [put('db/primary', 'theirs')]);
  expect(await read(mine, 'db/primary')).toBe('mine');
});

it('is told by store status, with the warning that it is old and that it does not survive the loss of its only member', async () => {
  const file = await fileOf('one', '');
  const text = await cluster.nsh(['store', 'status'], { env: { NSH_CLUSTER: file } });
  expect(text.stdout).toMatch(/^store +etcd at https:/m);
  expect(text.stdout).toMatch(/^survives +not the loss of a member$/m);
  const json = await cluster.nsh(['store', 'status', '--json'], { env: { NSH_CLUSTER: file } });
  const report = JSON.parse(json.stdout) as { version: string; warnings: string[]; members: unknown[] };
  expect(report).toMatchObject({ backend: 'etcd', health: 'ok', faultTolerant: false, node: null });
  expect(report.members).toHaveLength(1);
  const isOld = /^3\.[0-4]\./.test(report.version);
  expect(report.warnings.some((warning) => warning.includes('older than 3.5'))).toBe(isOld);
  expect(json.status).toBe(0);
});

it('that cannot be used says why: a certificate that is not there, nobody who listens', async () => {
  const gone = await cluster.hosts.clusterFile({
    cluster: 'seven',
    fileName: 'seven.yaml',
    extra: `store: {etcd: ${urls()}, ca: nowhere.pem}`,
  });
  const refused = await cluster.nsh(['store', 'status'], { env: { NSH_CLUSTER: gone } });
  expect(refused.stdout).toMatch(/nowhere\.pem/);
  expect(refused.status).toBe(2);
  const nobody = await cluster.hosts.clusterFile({
    cluster: 'eight',
    fileName: 'eight.yaml',
    extra: 'store: {etcd: ["http://127.0.0.1:9"]}',
  });
  const down = await cluster.nsh(['store', 'status'], { env: { NSH_CLUSTER: nobody }, timeoutMs: 30_000 });
  expect(down.stdout).toMatch(/^health +down$/m);
  expect(down.stdout).toMatch(/127\.0\.0\.1:9/);
  expect(down.status).toBe(3);
});
