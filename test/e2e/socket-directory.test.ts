/** Where sockets lie: nowhere that others could reach, nowhere too long for a socket, and never where two nodes would meet. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { nodePaths } from '../../src/cluster/paths.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let cluster: NshCluster;
/** What lies in /tmp because the state path is too long for sockets. */
const temporary: string[] = [];
beforeAll(async () => {
  cluster = await startCluster({ count: 3, sharedHome: true });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(async () => {
  for (const path of temporary) rmSync(path, { recursive: true, force: true });
  await cluster.stop();
});

const nodeState = (id: number): string => join(cluster.host('n1').stateHome, 'nsh/test', String(id));

test('three nodes with one home directory and one /tmp never meet', async () => {
  const pids = await Promise.all(
    ['n1', 'n2', 'n3'].map((node) => cluster.start('-n', node, '--', 'sh', '-c', 'echo $NSH_NODE; exec sleep 1000')),
  );
  const { stdout } = await cluster.nsh(['ps', '-a', '-o', 'pid=,node=']);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/)),
  ).toEqual(pids.map((pid, index) => [String(pid), `n${index + 1}`]));
  for (const [index, pid] of pids.entries())
    expect((await cluster.nsh(['logs', String(pid)])).stdout).toBe(`${index + 1}\n`);
  const agents = (await cluster.agents()).filter(({ node }) => node !== 'localhost');
  expect(agents.map(({ managed, shims, state }) => [managed, shims.length, state])).toEqual(
    [1, 2, 3].map(() => [1, 1, 'up']),
  );
  await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n2']);
  expect((await cluster.nsh(['wait', String(pids[1])])).status).toBeGreaterThan(128);
  expect((await cluster.nsh(['kill', '-0', String(pids[0]), String(pids[2])])).status).toBe(0);
  expect((await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n[1-3]'])).status).toBe(0);
});

test("every directory with sockets is the user's alone, and the sockets are too", async () => {
  await cluster.start('-n', 'n1', '--', 'true');
  expect(statSync(nodeState(1)).mode & 0o777).toBe(0o700);
  const sockets = readdirSync(nodeState(1)).filter((name) => name.endsWith('.sock'));
  expect(sockets.length).toBeGreaterThan(1);
  for (const name of sockets) expect(statSync(join(nodeState(1), name)).mode & 0o777).toBe(0o600);
});

test('a directory on the node that is open to others is refused by its path, the other nodes are shown', async () => {
  await cluster.nsh(['nodes']);
  await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n3']);
  chmodSync(nodeState(3), 0o755);
  const open = await cluster.nsh(['nodes']);
  expect(open.status).toBe(3);
  expect(open.stderr).toMatch(/^nsh nodes: n3: .*\/nsh\/test\/3 is open to others \(mode 755\); chmod 700 it.*\n$/);
  chmodSync(nodeState(3), 0o700);
  expect((await cluster.nsh(['nodes'])).status).toBe(0);
});

test.skipIf(process.getuid?.() !== 0)('a directory that another user owns is refused', async () => {
  await cluster.nsh(['nodes']);
  await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n3']);
  chownSync(nodeState(3), 65_534, 65_534);
  const foreign = await cluster.nsh(['run', '-T', '-n', 'n3', '--', 'true']);
  expect(foreign.status).toBe(255);
  expect(foreign.stderr).toMatch(/^nsh run: n3: .*\/nsh\/test\/3 belongs to user 65534, not to you \(0\)/);
  chownSync(nodeState(3), 0, 0);
  expect((await cluster.nsh(['run', '-T', '-n', 'n3', '--', 'true'])).status).toBe(0);
});

test("this machine's directory is looked at the same way", async () => {
  await cluster.nsh(['nodes']);
  await cluster.nsh(['agent', 'stop']);
  const name = readdirSync(join(cluster.stateHome, 'nsh/test')).find((entry) => entry.startsWith('0-')) ?? '';
  const own = join(cluster.stateHome, 'nsh/test', name);
  chmodSync(own, 0o770);
  const { status, stderr } = await cluster.nsh(['nodes']);
  expect(status).toBe(255);
  expect(stderr).toContain(`${own} is open to others (mode 770); chmod 700 it`);
  chmodSync(own, 0o700);
  expect((await cluster.nsh(['nodes'])).status).toBe(0);
});

test('a state path too long for a socket: the sockets lie in /tmp, and the refusals are the same there', async () => {
  const place = mkdtempSync(join(cluster.directory, 'long-'));
  const long = join(place, 'l'.repeat(120));
  mkdirSync(long);
  const env = { XDG_STATE_HOME: long };
  onTestFinished(async () => {
    await cluster.nsh(['agent', 'stop'], { env });
  });
  const { stdout, status } = await cluster.nsh(['run', '-T', '-n', 'n1', '--', 'echo', 'hello'], { env });
  expect([stdout, status]).toEqual(['hello\n', 0]);
  const directory = nodePaths(env, 'test', nodeId(0)).sockets;
  expect(directory).toMatch(/^\/tmp\/nsh-/);
  temporary.push(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(existsSync(join(directory, 'agent.sock'))).toBe(true);
  expect((await cluster.nsh(['agent', 'stop'], { env })).status).toBe(0);
  expect(existsSync(directory)).toBe(false);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const open = await cluster.nsh(['nodes'], { env });
  expect([open.status, open.stderr]).toEqual([
    255,
    expect.stringContaining(`${directory} is open to others (mode 777)`),
  ]);
  rmSync(directory, { recursive: true });
  mkdirSync(join(place, 'elsewhere'), { mode: 0o700 });
  symlinkSync(join(place, 'elsewhere'), directory);
  const link = await cluster.nsh(['nodes'], { env });
  expect([link.status, link.stderr]).toEqual([255, expect.stringContaining(`${directory} is not a directory`)]);
});

test('a node whose home directory has a path too long for a socket runs processes all the same', async () => {
  const home = `/tmp/${'d'.repeat(100)}${process.pid}`;
  temporary.push(home, nodePaths({ XDG_STATE_HOME: home }, 'test', nodeId(1)).sockets);
  const deep = await startCluster({ count: 1, host: () => ({ env: { XDG_STATE_HOME: home } }) });
  try {
    const gpid = await deep.start('-n', 'n1', '--', 'sh', '-c', 'echo far; exit 3');
    expect((await deep.nsh(['wait', String(gpid)])).status).toBe(3);
    expect((await deep.nsh(['logs', String(gpid)])).stdout).toBe('far\n');
  } finally {
    await deep.stop();
  }
});
