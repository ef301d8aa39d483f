/** Ids stay with their machines, whatever the cluster file says later; the file that counts is the one that is there now. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let cluster: NshCluster;
let text: string;
beforeAll(async () => {
  cluster = await startCluster({ count: 3, prefix: 'web0' });
  text = readFileSync(cluster.file, 'utf8');
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterEach(() => writeFileSync(cluster.file, text));
afterAll(() => cluster.stop());

const states = (stdout: string): string[][] =>
  (JSON.parse(stdout) as { node: string; state: string }[]).map(({ node, state }) => [node, state]);

test('a node that was 3 and is 2 in the file now is refused, with what to do; put back, it serves again', async () => {
  expect((await cluster.nsh(['nodes'])).status).toBe(0);
  writeFileSync(cluster.file, text.replace('"id":2,', '"id":9,').replace('"id":3,', '"id":2,'));
  const { stderr, status, stdout } = await cluster.nsh(['nodes', '--json']);
  expect(status).toBe(3);
  expect(stderr).toMatch(/nsh nodes: web03: web03 was 3, the file now says 2: .*Put 3 back/);
  expect(stderr).toMatch(/nsh nodes: web02: web02 was 2, the file now says 9/);
  expect(states(stdout)).toContainEqual(['web01', 'up']);
  writeFileSync(cluster.file, text);
  const again = await cluster.nsh(['nodes']);
  expect([again.status, again.stderr]).toEqual([0, '']);
});

test('a node that is added to or taken out of the file is seen by the next command', async () => {
  const lines = text.split('\n');
  writeFileSync(cluster.file, lines.filter((line) => !line.includes('web03')).join('\n'));
  expect(states((await cluster.nsh(['nodes', '--json'])).stdout)).toEqual([
    ['web01', 'up'],
    ['web02', 'up'],
  ]);
  expect((await cluster.nsh(['run', '-n', 'web03', '--', 'true'])).status).toBe(2);
  writeFileSync(cluster.file, text);
  expect(states((await cluster.nsh(['nodes', '--json'])).stdout)).toHaveLength(3);
  expect((await cluster.nsh(['run', '-T', '-n', 'web03', '--', 'true'])).status).toBe(0);
});

test('twenty edits in a row are each seen by the command behind them', async () => {
  const lines = text.split('\n');
  for (let edit = 0; edit < 20; edit++) {
    const gone = `web0${1 + (edit % 3)}`;
    writeFileSync(cluster.file, lines.filter((line) => !line.includes(gone)).join('\n'));
    const { stdout } = await cluster.nsh(['nodes', '--json']);
    expect(states(stdout).map(([node]) => node)).not.toContain(gone);
    expect(states(stdout).map(([, state]) => state)).toEqual(['up', 'up']);
  }
});

test('two files that name the same cluster are told apart, with what to do', async () => {
  expect((await cluster.nsh(['nodes'])).status).toBe(0);
  const other = join(cluster.directory, 'other.yaml');
  writeFileSync(other, text);
  const { stderr, status } = await cluster.nsh(['nodes'], { env: { NSH_CLUSTER: other } });
  expect(status).toBe(2);
  expect(stderr).toContain(cluster.file);
  expect(stderr).toContain(other);
  expect(stderr).toContain('nsh agent stop');
  expect((await cluster.nsh(['agent', 'stop'], { env: { NSH_CLUSTER: other } })).status).toBe(0);
  expect((await cluster.nsh(['nodes'], { env: { NSH_CLUSTER: other } })).status).toBe(0);
  expect((await cluster.nsh(['agent', 'stop'])).status).toBe(0);
});

test('a file that is broken names the place; the running processes are not touched', async () => {
  const gpid = await cluster.start('-n', 'web01', '--', 'sleep', '1000');
  writeFileSync(cluster.file, text.replace('"id":2,', '"id":1,'));
  const twice = await cluster.nsh(['nodes']);
  expect(twice.status).toBe(2);
  expect(twice.stderr).toMatch(/cluster\.yaml:\d+:\d+: /);
  writeFileSync(cluster.file, 'cluster: [\n');
  expect((await cluster.nsh(['nodes'])).status).toBe(2);
  writeFileSync(cluster.file, text);
  expect((await cluster.nsh(['kill', '-KILL', String(gpid)])).status).toBe(0);
  expect((await cluster.nsh(['wait', String(gpid)])).status).toBe(137);
});
