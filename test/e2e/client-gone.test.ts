/** What becomes of a process whose client is killed, ended or hung up. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
});
afterAll(() => cluster.stop());

const runs = (command: string): boolean =>
  cluster
    .host('n1')
    .processes()
    .some((process) => process.command === command);
let seconds = 5000;
/** A command that no other test has. */
const sleep = (): string[] => ['sleep', String(seconds++)];

describe.concurrent('when the client is killed', () => {
  /** A foreground process whose client has gone by SIGKILL. */
  async function orphan(onDisconnect: string[], words: string[]): Promise<void> {
    const running = cluster.spawnNsh([
      'run',
      '-T',
      '-n',
      'n1',
      ...onDisconnect,
      '--',
      'sh',
      '-c',
      `echo up; exec ${words.join(' ')}`,
    ]);
    await running.untilStdout('up\n');
    running.kill('SIGKILL');
    await running.ended;
  }

  test('--on-disconnect=keep leaves the process; hup comes after the 10 s in which the client might come back', async () => {
    const [kept, hung] = [sleep(), sleep()];
    await orphan(['--on-disconnect=keep'], kept);
    await orphan(['--on-disconnect=hup'], hung);
    const began = performance.now();
    await waitUntil(() => !runs(hung.join(' ')), 'the end of the one that is hung up', 25_000);
    const tookMs = performance.now() - began;
    expect(tookMs).toBeGreaterThan(9_500);
    expect(tookMs).toBeLessThan(14_000);
    expect(runs(kept.join(' '))).toBe(true);
    await cluster.nsh(['pkill', '-f', `^${kept.join(' ')}$`]);
  });

  test('hup, the default with pipes, can be ignored by the process; kill cannot', async () => {
    const [ignoring, killed] = [sleep(), sleep()];
    await orphan([], ['env', '--ignore-signal=HUP', ...ignoring]);
    await orphan(['--on-disconnect=kill'], ['env', '--ignore-signal=HUP', ...killed]);
    await waitUntil(() => !runs(killed.join(' ')), 'the end of the one that is killed', 25_000);
    expect(runs(ignoring.join(' '))).toBe(true);
    await cluster.nsh(['pkill', '-KILL', '-f', `^${ignoring.join(' ')}$`]);
  });
});

test('TERM and INT to the client go to the process, whose status is passed on', async () => {
  const caught = cluster.spawnNsh([
    'run',
    '-T',
    '-n',
    'n1',
    '--',
    'sh',
    '-c',
    'trap "echo caught; exit 5" TERM; echo up; while :; do sleep 0.05; done',
  ]);
  await caught.untilStdout('up\n');
  caught.kill('SIGTERM');
  const { stdout, status } = await caught.end();
  expect([stdout, status]).toEqual(['up\ncaught\n', 5]);
  const plain = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'sh', '-c', `echo up; exec ${sleep().join(' ')}`]);
  await plain.untilStdout('up\n');
  plain.kill('SIGINT');
  expect((await plain.end()).status).toBe(128 + 2);
});

test('HUP to the client hangs the process up at once', async () => {
  const words = sleep();
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'sh', '-c', `echo up; exec ${words.join(' ')}`]);
  await running.untilStdout('up\n');
  running.kill('SIGHUP');
  expect((await running.end()).status).toBe(128 + 1);
  await waitUntil(() => !runs(words.join(' ')), 'the end of the process', 5_000);
});

test('a process with a terminal outlives its client, and the agent that is stopped, and is attached to again', async () => {
  const terminal = new NshTerminal(
    ['run', '-n', 'n1', '--', 'sh', '-c', 'echo "I am $NSH_GPID"; while read -r line; do echo "got $line"; done'],
    cluster.env,
  );
  await terminal.untilShown(/I am \d+/);
  const [, gpid = ''] = /I am (\d+)/.exec(terminal.shown) ?? [];
  terminal.type('one\r');
  await terminal.untilShown('got one');
  await terminal.close();
  expect((await cluster.nsh(['agent', 'stop', '-n', 'n1'])).status).toBe(0);
  expect((await cluster.nsh(['agent', 'stop'])).status).toBe(0);
  const again = new NshTerminal(['attach', gpid], cluster.env);
  try {
    await again.untilShown('got one');
    again.type('two\r');
    await again.untilShown('got two');
    again.type('\u001cd');
    expect(await again.status()).toBe(0);
    expect(again.shown).toContain(`[detached from ${gpid}`);
    expect((await cluster.nsh(['kill', '-HUP', gpid])).status).toBe(0);
    expect((await cluster.nsh(['wait', gpid])).status).toBe(128 + 1);
  } finally {
    await again.close();
  }
});
