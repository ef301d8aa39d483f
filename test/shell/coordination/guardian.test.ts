/** The small shell beside a command under a lock, on real processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { Guardian } from '../../../shell/coordination/guardian.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const newMark = (): string => `a1.${Math.random().toString(16).slice(2, 14).padStart(12, '0')}`;

/** Resolves when the process has announced that it runs. */
async function start(mark: string, script: string): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', script], {
    env: { PATH: process.env['PATH'], NSH_HOLDS: `b2.000000000000:${mark}` },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  await once(child.stdout ?? child, 'data');
  return child;
}

const signalOf = async (child: ChildProcess): Promise<unknown> => {
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
  return child.signalCode ?? child.exitCode;
};
const steadfast = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

it('kills all that belongs to the command when nothing comes in time, also what ignores SIGTERM', async () => {
  const mark = newMark();
  const [one, two, other] = [
    await start(mark, steadfast),
    await start(mark, steadfast),
    await start(newMark(), steadfast),
  ];
  const guardian = new Guardian(mark, 60_000);
  guardian.extend(300);
  expect([await signalOf(one), await signalOf(two)]).toEqual(['SIGKILL', 'SIGKILL']);
  expect(other.exitCode ?? other.signalCode).toBeNull();
  guardian.end();
});

it('asks what belongs to the command to end, and then kills it', async () => {
  const mark = newMark();
  const willing = await start(mark, "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
  const unwilling = await start(mark, steadfast);
  const guardian = new Guardian(mark, 60_000);
  guardian.terminate(500);
  expect([await signalOf(willing), await signalOf(unwilling)]).toEqual([7, 'SIGKILL']);
});

it('kills at once when it is told to, one that is stopped too', async () => {
  const mark = newMark();
  const child = await start(mark, steadfast);
  child.kill('SIGSTOP');
  new Guardian(mark, 60_000).kill();
  expect(await signalOf(child)).toBe('SIGKILL');
});

it('ends the process that it was told of where its environment says nothing', async () => {
  const child = await start('b2.000000000000', steadfast);
  const guardian = new Guardian(newMark(), 60_000);
  guardian.watch(child.pid ?? 0);
  guardian.kill();
  expect(await signalOf(child)).toBe('SIGKILL');
});

it('leaves alone what has ended as it should', async () => {
  const mark = newMark();
  const child = await start(mark, steadfast);
  const guardian = new Guardian(mark, 300);
  guardian.end();
  // Whatever it would do it has done by the time that a later one has.
  const later = newMark();
  const witness = await start(later, steadfast);
  const second = new Guardian(later, 600);
  expect(await signalOf(witness)).toBe('SIGKILL');
  expect(child.exitCode ?? child.signalCode).toBeNull();
  second.end();
});
