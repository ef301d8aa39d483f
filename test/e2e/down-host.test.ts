/** A host where nobody listens. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
  await cluster.nsh(['nodes']);
  await cluster.host('n2').stop();
});
afterAll(() => cluster.stop());

test('a host that goes down under a stream: the process is lost, nsh says so and ends with 255 or its status', async () => {
  const own = await startCluster({ count: 2 });
  onTestFinished(() => own.stop());
  const running = own.spawnNsh(['run', '-T', '-n', 'n2', '--', 'sh', '-c', 'echo here; exec sleep 1000']);
  await running.untilStdout('here\n');
  await own.host('n2').stop();
  await running.untilStderr('n2: the connection is lost');
  const listed = await own.nsh(['ps', '-eo', 'node=']);
  expect(listed.status).toBe(3);
  expect(listed.stderr).toMatch(/^nsh ps: n2: .*refused.*\n$/);
  expect(new Set(listed.stdout.trim().split(/\s+/))).toEqual(new Set(['n1']));
  expect(listed.tookMs).toBeLessThan(4_000);
  running.kill('SIGTERM');
  const { status, stderr } = await running.end();
  expect(status).toBe(255);
  expect(stderr).toContain('SIGTERM cannot be passed on');
});

test('nodes, run, kill, logs and wait name the host and the reason', async () => {
  const nodes = await cluster.nsh(['nodes']);
  expect([nodes.status, nodes.stderr]).toEqual([3, expect.stringMatching(/^nsh nodes: n2: .*refused.*\n$/)]);
  expect(nodes.stdout).toMatch(/n1 +up[^]*n2 +down/);
  const run = await cluster.nsh(['run', '-T', '-n', 'n2', '--', 'true']);
  expect([run.status, run.stderr]).toEqual([255, expect.stringMatching(/^nsh run: n2: .*refused.*\n$/)]);
  const kill = await cluster.nsh(['kill', '20000004']);
  expect([kill.status, kill.stderr]).toEqual([1, expect.stringMatching(/^nsh kill: \(20000004\): n2: .*refused.*\n$/)]);
  const logs = await cluster.nsh(['logs', '20000004']);
  expect([logs.status, logs.stderr]).toEqual([255, expect.stringMatching(/^nsh logs: n2: .*refused.*\n$/)]);
  const wait = await cluster.nsh(['wait', '20000004']);
  expect([wait.status, wait.stderr]).toEqual([255, expect.stringMatching(/^nsh wait: n2: .*refused.*\n$/)]);
});

test('many nodes: those that are there run the command, and the largest status is 255', async () => {
  const { stdout, stderr, status } = await cluster.nsh(['run', '--all', '--', 'echo', 'hello']);
  expect([stdout, status]).toEqual(['n1: hello\n', 255]);
  // Nothing ran there: why is all there is to say.
  expect(stderr).toMatch(/^nsh run: n2: .*refused.*\n$/);
});

test('placement without -n passes a node over that does not answer', async () => {
  const { stdout, status } = await cluster.nsh(['run', '-T', '--', 'sh', '-c', 'echo $NSH_NODE']);
  expect(status).toBe(0);
  expect(stdout).toBe('1\n');
});
