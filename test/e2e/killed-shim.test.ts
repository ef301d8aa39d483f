/** SIGKILL of a shim: what is known of its processes, and what can be done. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isRunning } from './nsh-cluster.ts';
import { OneMachine } from './one-machine.ts';
import { waitUntil } from './wait-until.ts';

let machine: OneMachine;
beforeAll(() => {
  machine = new OneMachine();
});
afterEach(({ task }) => machine.cleanAfter(task));
afterAll(() => machine.stop());

async function killShim(): Promise<number> {
  const [shim = 0] = await machine.shimPids();
  process.kill(shim, 'SIGKILL');
  await waitUntil(() => !isRunning(shim), 'the end of the shim');
  return shim;
}

test('a process that lives on is named with what to do, and has ended once that is done', async () => {
  const pid = await machine.start('--name', 'stays', '--', 'sleep', '1000');
  const waiting = machine.spawn('wait', String(pid));
  const shim = await killShim();
  const runsOn = `localhost: process ${pid} runs on without nsh, and how it ends will not be known: its shim (PID ${shim}) was killed; 'nsh kill ${pid}' ends it\n`;
  const first = await waiting.end();
  expect([first.status, first.stderr]).toEqual([255, `nsh wait: ${runsOn}`]);
  const attached = await machine.nsh('attach', String(pid));
  expect([attached.status, attached.stderr]).toEqual([
    255,
    `[${runsOn.replace('localhost: process ', '').trimEnd()}]\n`,
  ]);
  expect((await machine.nsh('ps', '-a', '--ended', '-o', 'pid=,status=')).stdout.trim().split(/\s+/)).toEqual([
    String(pid),
    'orphan',
  ]);
  expect((await machine.nsh('ps', '-a', '-o', 'pid=')).stdout).toBe('');
  expect((await machine.nsh('kill', String(pid))).status).toBe(0);
  await waitUntil(() => !isRunning(pid), 'its end');
  const known = `ended, and its exit status is not known: its shim (PID ${shim}) was killed`;
  const later = await machine.nsh('wait', String(pid));
  expect([later.status, later.stderr]).toEqual([255, `nsh wait: localhost: process ${pid} ${known}\n`]);
  expect((await machine.nsh('ps', '-a', '--ended', '-o', 'status=')).stdout.trim()).toBe('lost');
});

test('one with a terminal is hung up with it, and whoever stood for it in the foreground is told', async () => {
  const pid = await machine.start('-t', '--name', 'terminal', '--', 'sleep', '1000');
  const running = machine.spawn('run', '-T', '--', 'sh', '-c', 'echo up; exec cat');
  await running.untilStdout('up\n');
  const shim = await killShim();
  const { status, stderr } = await running.end();
  expect(status).toBe(255);
  expect(stderr).toMatch(
    new RegExp(`^nsh run: localhost: process \\d+ ended, and .* its shim \\(PID ${shim}\\) was killed\n$`),
  );
  await waitUntil(() => !isRunning(pid), 'the hang-up');
  const { stderr: how } = await machine.nsh('wait', String(pid));
  expect(how).toContain('ended, and its exit status is not known');
});
