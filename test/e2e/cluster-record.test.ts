/** The cluster of record on real hosts: what agents go by is in the store, whoever reads whatever file, and is changed by `nsh cluster apply` alone. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
/** Of a second person, who has an agent and a cluster file of their own. */
let other: Record<string, string | undefined>;

beforeAll(async () => {
  cluster = await startCluster({ count: 3 });
  for (const { home } of cluster.hosts.hosts) {
    mkdirSync(join(home, '.config/nsh'), { recursive: true });
    copyFileSync(cluster.file, join(home, '.config/nsh/cluster.yaml'));
  }
  other = { XDG_STATE_HOME: join(cluster.stateHome, 'other'), NSH_CLUSTER: await write('other.yaml', {}) };
});
afterAll(() => cluster.stop());

/** A cluster file: labels by node; a node without any entry is left out where there is one for others. */
async function write(fileName: string, labels: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const all = Object.keys(labels).length === 0;
  const node = ({ name }: { readonly name: string }) => ({ labels: labels[name] ?? (all ? [] : ['gone']) });
  const path = await cluster.hosts.clusterFile({ fileName, node });
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^.*\["gone"\].*\n/gm, ''));
  return path;
}

const nsh = async (words: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) => {
  const { status, stdout, stderr } = await cluster.nsh(words, { env });
  return { status, stdout, stderr };
};
const where = (command: string): string =>
  cluster.hosts.hosts
    .flatMap((host) => host.processes().flatMap((process) => (process.command === command ? [host.name] : [])))
    .join();
const done = { status: 0, stdout: '', stderr: '' };

it('is not what a file says that somebody reads, and that file is told of by what acts on the record', async () => {
  const start = ['group', 'start', '--wait=20s', 'web', '-n', '3', '--', 'sleep', '5001'];
  expect(await nsh(start)).toEqual(done);
  expect(where('sleep 5001')).toBe('n1,n2,n3');
  await write('other.yaml', { n1: [], n2: ['gpu'] });
  const differs =
    /other\.yaml differs from the cluster of record \(n2 is changed, n3 is missing\), and the agents go by the record/;
  const told = [
    ['group', 'ls'],
    ['store', 'status'],
    ['scale', 'web=3'],
    ['node', 'undrain', 'n1'],
  ].map((words) => nsh(words, other));
  for (const { stderr } of await Promise.all(told)) expect(stderr).toMatch(differs);
  expect(await nsh(['cluster', 'diff'], other)).toEqual({
    status: 1,
    stdout: '~ n2 (2): labels [] -> [gpu]\n- n3 (3)\n',
    stderr: '',
  });
  const unknown = await nsh(['group', 'start', 'train', '--on', '@gpu', '--', 'sleep', '5002'], other);
  expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('no node could run all of train')]);
  expect([where('sleep 5001'), (await nsh(['cluster', 'diff'])).status]).toEqual(['n1,n2,n3', 0]);
});

it('is not changed by who was shown another one, and a node that is taken out of it loses its groups', async () => {
  const mine = await write('cluster.yaml', { n1: ['ssd'], n2: [], n3: [] });
  expect(mine).toBe(cluster.file);
  const asked = new NshTerminal(['cluster', 'apply'], { ...cluster.env });
  await asked.untilShown('Apply this to the cluster of record? [y/N] ');
  expect(asked.shown).toContain('~ n1 (1): labels [] -> [ssd]');
  expect(await nsh(['cluster', 'apply', '--yes'], other)).toEqual({
    status: 0,
    stdout: '~ n2 (2): labels [] -> [gpu]\n- n3 (3)\n',
    stderr: '',
  });
  asked.type('y\r');
  expect(await asked.status()).toBe(1);
  expect(asked.shown).toMatch(/was changed meanwhile by \S+; nothing was applied/);
  await asked.close();
  await waitUntil(() => /^n[12],n[12],n[12]$/.test(where('sleep 5001')), 'the group without n3');
  expect((await nsh(['cluster', 'show'], other)).stdout).toBe('ID  NODE  LABELS\n 1  n1\n 2  n2    gpu\n');
});

it('has the labels that --on goes by, now and when they change', async () => {
  const start = ['group', 'start', '--wait=20s', 'train', '-n', '2', '--on', '@gpu', '--', 'sleep', '5002'];
  expect(await nsh(start, other)).toEqual(done);
  expect(where('sleep 5002')).toBe('n2,n2');
  await write('other.yaml', { n1: ['gpu'], n2: [] });
  expect((await nsh(['cluster', 'apply', '-y'], other)).status).toBe(0);
  await waitUntil(() => where('sleep 5002') === 'n1,n1', 'the group on the other node');
  expect((await nsh(['group', 'rm', '--wait=20s', 'train', 'web'], other)).status).toBe(0);
});
