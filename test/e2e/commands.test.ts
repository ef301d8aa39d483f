/** What the commands answer and exit with, on three hosts. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop());

const run = (node: string, ...words: string[]) => cluster.nsh(['run', '-T', '-n', node, '--', ...words]);

test('nodes shows every node as up, with its id and where it is reached', async () => {
  const { stdout, status } = await cluster.nsh(['nodes', '--json']);
  const rows = JSON.parse(stdout) as { id: number; node: string; state: string; address: string; hostname: string }[];
  expect(status).toBe(0);
  expect(rows.map(({ id, node, state }) => [id, node, state])).toEqual([1, 2, 3].map((id) => [id, `n${id}`, 'up']));
  for (const row of rows) {
    const { facts } = cluster.host(row.node);
    expect(row.address).toBe(`${facts.user}@${facts.address}:${facts.port}`);
    expect(row.hostname).toBe(cluster.hosts.isolation === 'none' ? row.hostname : row.node);
  }
});

test('ps -e shows the processes of every host under their cluster PIDs', async () => {
  const { stdout, status, stderr } = await cluster.nsh(['ps', '-eo', 'pid=,lpid=,node=,comm=']);
  expect([status, stderr]).toEqual([0, '']);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  for (const host of cluster.hosts.hosts) {
    const here = rows.filter(([, , node]) => node === host.name);
    expect(here.map(([, , , comm]) => comm)).toContain('sshd');
    for (const [gpid, lpid] of here) expect(Number(gpid)).toBe(host.id * 10_000_000 + Number(lpid));
  }
});

test('run passes the exit status on', async () => {
  expect((await run('n1', 'sh', '-c', 'exit 7')).status).toBe(7);
  expect((await run('n2', 'true')).status).toBe(0);
});

test('run exits with 128 and the number of the signal that ended the process', async () => {
  expect((await run('n1', 'sh', '-c', 'kill -TERM $$')).status).toBe(128 + 15);
  expect((await run('n1', 'sh', '-c', 'kill -KILL $$')).status).toBe(128 + 9);
});

test('a command that does not exist gives 127, one that may not run 126, and both are named', async () => {
  const missing = await run('n3', 'no-such-command-here');
  expect(missing.status).toBe(127);
  expect(missing.stderr).toMatch(/^nsh run: n3: .*no-such-command-here/);
  const forbidden = await run('n3', '/etc/passwd');
  expect(forbidden.status).toBe(126);
  expect(forbidden.stderr).toMatch(/^nsh run: n3: .*\/etc\/passwd/);
  expect((await run('n3', '/etc')).status).toBe(126);
});

test('with many nodes the largest exit status counts, and who ended how is told', async () => {
  const script = 'case $NSH_NODE in 1) exit 3;; 2) exit 9;; *) exit 0;; esac';
  const { status, stderr } = await cluster.nsh(['run', '--all', '--', 'sh', '-c', script]);
  expect(status).toBe(9);
  expect(stderr).toContain('n1: exited with status 3');
  expect(stderr).toContain('n2: exited with status 9');
});

test('output of many nodes comes with prefixes, or folded where it is identical', async () => {
  const prefixed = await cluster.nsh(['run', '-n', 'n[1-3]', '--', 'echo', 'hello']);
  expect(prefixed.stdout.split('\n').sort()).toEqual(['', 'n1: hello', 'n2: hello', 'n3: hello']);
  const folded = await cluster.nsh(['run', '-n', 'n[1-3]', '-b', '--', 'echo', 'hello']);
  expect(folded.stdout.match(/hello/g)).toHaveLength(1);
  expect(folded.stdout).toContain('n[1-3]');
});

test('stdin goes to the process and its end too', async () => {
  const { stdout, status } = await cluster.nsh(
    ['run', '-T', '-n', 'n2', '--', 'sh', '-c', 'read a; cat; echo "<$a>"'],
    { input: 'one\ntwo\n' },
  );
  expect([stdout, status]).toEqual(['two\n<one>\n', 0]);
});

test('-d prints the cluster PID and nothing else; wait, logs, ps -a and kill know it by every spelling', async () => {
  const gpid = await cluster.start('-n', 'n2', '--', 'sh', '-c', 'echo out; echo err >&2; exec sleep 1000');
  const lpid = gpid - 20_000_000;
  const { stdout } = await cluster.nsh(['ps', '-a', '-o', 'pid=']);
  expect(stdout.split('\n').map((line) => line.trim())).toContain(String(gpid));
  const logs = await cluster.nsh(['logs', `n2.${lpid}`]);
  expect([logs.stdout, logs.stderr, logs.status]).toEqual(['out\n', 'err\n', 0]);
  const waiting = cluster.spawnNsh(['wait', `2.${lpid}`]);
  expect((await cluster.nsh(['kill', '-0', String(gpid)])).status).toBe(0);
  expect((await cluster.nsh(['kill', '-s', 'INT', String(gpid)])).status).toBe(0);
  expect((await waiting.end()).status).toBe(128 + 2);
  expect((await cluster.nsh(['wait', String(gpid)])).status).toBe(128 + 2);
  const again = await cluster.nsh(['kill', String(gpid)]);
  expect(again.status).toBe(1);
  expect(again.stderr).toContain('No such process');
});

test('wait takes the largest status of several and 127 for a process that it does not know', async () => {
  const pids = [
    await cluster.start('-n', 'n1', '--', 'sh', '-c', 'exit 5'),
    await cluster.start('-n', 'n3', '--', 'sh', '-c', 'exit 2'),
  ];
  expect((await cluster.nsh(['wait', ...pids.map(String)])).status).toBe(5);
  const unknown = await cluster.nsh(['wait', '19999999', '30000001']);
  expect(unknown.status).toBe(127);
});

test('kill reaches process groups and several targets at once', async () => {
  const group = await cluster.start('-n', 'n1', '--', 'sh', '-c', 'sleep 1000 & wait');
  const other = await cluster.start('-n', 'n2', '--', 'sleep', '1000');
  expect((await cluster.nsh(['kill', '-KILL', '--', `-${group}`, String(other)])).status).toBe(0);
  expect((await cluster.nsh(['wait', String(group), String(other)])).status).toBe(128 + 9);
  expect(
    cluster
      .host('n1')
      .processes()
      .filter(({ command }) => command === 'sleep 1000'),
  ).toEqual([]);
});

test('pgrep finds processes on every node by their command line', async () => {
  const gpid = await cluster.start('-n', 'n3', '--', 'sleep', '98765');
  const found = await cluster.nsh(['pgrep', '-f', '^sleep 98765$']);
  expect([found.stdout, found.status]).toEqual([`${gpid}\n`, 0]);
  expect((await cluster.nsh(['pkill', '-KILL', '-f', '^sleep 98765$'])).status).toBe(0);
  expect((await cluster.nsh(['wait', String(gpid)])).status).toBe(128 + 9);
  expect((await cluster.nsh(['pgrep', '-f', '^sleep 98765$'])).status).toBe(1);
});

test('logs -f follows a process to its end', async () => {
  const gpid = await cluster.start(
    '-n',
    'n1',
    '--',
    'sh',
    '-c',
    'echo one; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; echo two',
  );
  const logs = cluster.spawnNsh(['logs', '-f', String(gpid)]);
  await logs.untilStdout('one\n');
  await cluster.host('n1').exec(['touch', `${cluster.host('n1').home}/go`]);
  const { stdout, status } = await logs.end();
  expect([stdout, status]).toEqual(['one\ntwo\n', 0]);
});

test('an unknown node, PID or command is refused with what is near', async () => {
  const node = await run('n11', 'true');
  expect(node.status).toBe(2);
  expect(node.stderr).toContain("unknown node 'n11'; did you mean 'n1'");
  expect((await cluster.nsh(['logs', '10000001'])).stderr).toMatch(/n1: /);
  expect((await cluster.nsh(['kill', '70000001'])).status).toBe(1);
  expect((await cluster.nsh(['frobnicate'])).status).toBe(2);
});
