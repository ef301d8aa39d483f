/** The number of an ended process of nsh that is another's now: the kernel is made to give it out again, inside the host. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isolation } from '../hosts/namespaces.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 1 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop());

const hasOwnPids = isolation() === 'root';

/** Starts `sleep SECONDS` under this very PID on the host. */
async function takePid(pid: number, seconds: number): Promise<void> {
  const script = `for try in $(seq 200); do echo ${pid - 1} >/proc/sys/kernel/ns_last_pid; sleep ${seconds} >/dev/null 2>&1 & [ $! = ${pid} ] && echo taken && exit; kill -9 $!; wait $! 2>/dev/null; done`;
  const { stdout } = await cluster.host('n1').exec(['bash', '-c', script]);
  expect(stdout).toContain('taken');
}

const commandOf = (pid: number): string | undefined =>
  cluster
    .host('n1')
    .processes()
    .find((process) => process.pid === pid)?.command;

async function endedProcess(...words: string[]): Promise<{ gpid: number; pid: number }> {
  const gpid = await cluster.start('-n', 'n1', '--', ...words);
  await cluster.nsh(['wait', String(gpid)]);
  return { gpid, pid: gpid - 10_000_000 };
}

test.skipIf(!hasOwnPids)(
  'a typed PID is refused, naming both processes; --force signals the one that has it now',
  async () => {
    const { gpid, pid } = await endedProcess('sh', '-c', 'echo mine; exit 3');
    await takePid(pid, 4242);
    const { status, stderr } = await cluster.nsh(['kill', '-KILL', String(gpid)]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^nsh kill: \\(${gpid}\\): .*sh -c echo mine; exit 3.*status 3.*sleep 4242.*--force`),
    );
    expect(commandOf(pid)).toBe('sleep 4242');
    expect((await cluster.nsh(['kill', '-0', String(gpid)])).status).toBe(1);
    expect((await cluster.nsh(['kill', '--force', '-KILL', String(gpid)])).status).toBe(0);
    await expect.poll(() => commandOf(pid)).toBeUndefined();
  },
);

test.skipIf(!hasOwnPids)('the refusal holds after the agent was killed and started again', async () => {
  const { gpid, pid } = await endedProcess('true');
  await takePid(pid, 4243);
  cluster.host('n1').kill(await cluster.agentPid('n1'), 'SIGKILL');
  const { status, stderr } = await cluster.nsh(['kill', String(gpid)]);
  expect([status, stderr]).toEqual([1, expect.stringContaining('sleep 4243')]);
  expect(commandOf(pid)).toBe('sleep 4243');
});

test.skipIf(!hasOwnPids)('logs, wait and ps go on telling of the process that nsh ran', async () => {
  const { gpid, pid } = await endedProcess('sh', '-c', 'echo mine; exit 5');
  await takePid(pid, 4244);
  expect((await cluster.nsh(['logs', String(gpid)])).stdout).toBe('mine\n');
  expect((await cluster.nsh(['wait', String(gpid)])).status).toBe(5);
  const { stdout } = await cluster.nsh(['ps', '-p', String(gpid), '-o', 'args=']);
  expect(stdout).toContain('sleep 4244');
});

test.skipIf(!hasOwnPids)("what pgrep and pkill find they signal, though the number once was another's", async () => {
  const { gpid, pid } = await endedProcess('true');
  await takePid(pid, 4245);
  expect((await cluster.nsh(['pgrep', '-f', '^sleep 4245$'])).stdout).toBe(`${gpid}\n`);
  expect((await cluster.nsh(['pkill', '-KILL', '-f', '^sleep 4245$'])).status).toBe(0);
  await expect.poll(() => commandOf(pid)).toBeUndefined();
});

test.skipIf(!hasOwnPids)("an ended process whose number is nobody's is told as ended", async () => {
  const { gpid } = await endedProcess('sh', '-c', 'exit 6');
  const { status, stderr } = await cluster.nsh(['kill', String(gpid)]);
  expect([status, stderr]).toEqual([1, `nsh kill: (${gpid}): No such process: sh has ended with status 6\n`]);
});
