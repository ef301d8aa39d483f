/**
 * The cluster file names another store while agents run: they follow without being started again, and what becomes of the groups, locks and
 * values of the store before is told.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agentCommand } from '../hosts/cluster-file.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

let etcds: readonly EtcdCluster[];
let cluster: NshCluster;

beforeAll(async () => {
  [cluster, ...etcds] = await Promise.all([
    startCluster({ count: 1 }),
    EtcdCluster.start({ members: 1 }),
    EtcdCluster.start({ members: 1 }),
  ]);
  mkdirSync(join(cluster.host('n1').home, '.config/nsh'), { recursive: true });
});
afterAll(async () => {
  await cluster.stop();
  await Promise.all(etcds.map((etcd) => etcd.stop()));
});

/** On the node and here. */
async function name(store: string): Promise<void> {
  const command = `${agentCommand} --session-ttl 2`;
  const file = await cluster.hosts.clusterFile({ agentCommand: command, extra: `store: ${store}` });
  copyFileSync(file, join(cluster.host('n1').home, '.config/nsh/cluster.yaml'));
}
const etcd = (index: number): string => `{etcd: ${JSON.stringify(etcds[index]?.urls)}}`;
const nsh = async (...words: readonly string[]) => {
  const { status, stdout, stderr } = await cluster.nsh(words);
  return { status, stdout, stderr };
};
const done = { status: 0, stdout: '', stderr: '' };
const replicas = (): number[] =>
  cluster
    .host('n1')
    .processes()
    .filter(({ command }) => command.startsWith('sleep 4711'))
    .map(({ pid }) => pid);
const warning = async (): Promise<string> =>
  /^warning: (until .*)$/m.exec((await nsh('store', 'status')).stdout)?.[1] ?? '';

it('is asked from then on, and what was held, watched and kept by the one before ends and is told', async () => {
  await name(etcd(0));
  expect(await nsh('group', 'start', '--wait=20s', 'web', '-n', '2', '--', 'sleep', '4711')).toEqual(done);
  expect(replicas()).toHaveLength(2);
  expect(await nsh('kv', 'put', 'colour', 'red')).toEqual(done);
  const watch = cluster.spawnNsh(['kv', 'watch', 'colour']);
  await watch.untilStdout('red');
  const lock = cluster.spawnNsh(['lock', '--ttl=3', 'door', '--', 'sh', '-c', 'echo in; exec sleep 4712']);
  await lock.untilStdout('in');
  const waiter = cluster.spawnNsh(['lock', 'door', '--', 'echo', 'mine']);
  await waitUntil(async () => (await nsh('locks')).stdout.includes('waits'), 'the second one in the queue');

  await name(etcd(1));
  // Nobody asks anything of the node: its agent sees it by itself.
  await waitUntil(() => replicas().length === 0, 'the end of the group');
  await watch.until(() => /^(?:-|del|delete)\b.*colour/m.test(watch.stdout), 'the end of the value');
  expect(await nsh('kv', 'put', 'colour', 'blue')).toEqual(done);
  await watch.untilStdout('blue');
  watch.kill('SIGTERM');
  const ended = await lock.end();
  expect(ended.status).not.toBe(0);
  expect(ended.stderr).toMatch(/the session \w+ has ended: until \S+Z the store was the etcd at/);
  expect((await waiter.end()).stderr).toMatch(/door.*deleted|the session \w+ has ended: until/);

  expect(await warning()).toMatch(
    /^until \S+Z the store was the etcd at http:\S+ \(keys nsh\/test\/\w+\/\): .* groups that were kept by it were ended, .*'store: \{etcd: \[http:\S+\], …\}'/,
  );
  const listed = await nsh('group', 'ls');
  expect([listed.stdout, listed.stderr]).toEqual([
    expect.not.stringContaining('web'),
    expect.stringMatching(/^nsh group: until \S+Z the store was the etcd at /),
  ]);
  expect((await nsh('locks')).stderr).toMatch(/^nsh locks: until /);
  expect(await nsh('lock', 'door', '--', 'echo', 'free')).toEqual({ ...done, stdout: 'free\n' });
  // The new store counts from the beginning; its orders are obeyed all the same.
  for (const words of [
    ['start', '--wait=20s', 'web', '--', 'sleep', '4711'],
    ['rm', '--wait=20s', 'web'],
  ])
    expect((await nsh('group', ...words)).status).toBe(0);
  expect(replicas()).toEqual([]);
});

it('is gone back to as well, with all that it had', async () => {
  await name(etcd(0));
  await waitUntil(() => replicas().length === 2, 'the group as before');
  expect((await nsh('kv', 'get', 'colour')).stdout).toBe('red');
  expect(await warning()).toBe('');
  await waitUntil(async () => /^web .* 2\/2 /m.test((await nsh('group', 'ls')).stdout), 'its report');
  expect((await nsh('group', 'ls')).stderr).toBe('');
});

it('is the same one with further endpoints, or other words for how it is logged in to: nothing ends', async () => {
  const before = replicas();
  const lock = cluster.spawnNsh(['lock', '--ttl=3', 'gate', '--', 'sh', '-c', 'echo in; read line']);
  await lock.untilStdout('in');
  await name(`{etcd: ${JSON.stringify([...(etcds[0]?.urls ?? []), ...(etcds[0]?.proxiedUrls ?? [])])}}`);
  expect(await warning()).toBe('');
  expect(await nsh('scale', '--wait=20s', 'web=3')).toEqual(done);
  expect(replicas()).toEqual(expect.arrayContaining(before));
  lock.child.stdin.end('go on\n');
  expect((await lock.end()).status).toBe(0);
});

it('becomes an embedded one and an etcd again, and its files are left alone', async () => {
  await name('{embedded: n1}');
  await waitUntil(() => replicas().length === 0, 'the end of the group');
  expect(await nsh('kv', 'put', 'colour', 'green')).toEqual(done);
  const lockFile = join(cluster.host('n1').stateHome, 'nsh/test/1/store/lock');
  expect(existsSync(lockFile)).toBe(true);
  await name(etcd(0));
  await waitUntil(() => replicas().length === 3, 'the group as before');
  await waitUntil(() => !existsSync(lockFile), 'the end of the embedded store');
  expect((await nsh('kv', 'get', 'colour')).stdout).toBe('red');
  expect(await nsh('group', 'rm', '--wait=20s', 'web')).toEqual(done);
});
