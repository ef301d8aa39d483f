/** A shim that stands still: what it serves waits, the node answers all the same. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 1 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(async () => {
  await cluster.stop();
});

it('ps tells what was known of its processes, in less time than a node has', async () => {
  const gpid = await cluster.start('-n', 'n1', '--', 'sleep', '1000');
  const shim = (await cluster.agents()).find((row) => row.node === 'n1')?.shims[0]?.lpid;
  if (shim === undefined) throw new Error('n1 has no shim');
  cluster.host('n1').kill(shim, 'SIGSTOP');
  try {
    const { stdout, stderr, status, tookMs } = await cluster.nsh(['ps', '-a', '-o', 'pid=']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout.trim()).toBe(String(gpid));
    expect(tookMs).toBeLessThan(5_000);
  } finally {
    cluster.host('n1').kill(shim, 'SIGCONT');
  }
  expect((await cluster.nsh(['kill', '-9', String(gpid)])).status).toBe(0);
});
