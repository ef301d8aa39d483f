/** Nothing that a node says reaches the terminal of whoever asks, apart from the bytes of a process that was asked for. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FakeAgent, type FakeAnswers } from './fake-agent.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import type { NshResult } from './nsh-program.ts';

const evil = '\u001b]0;taken\u0007\u001b[2J\u001b[31m\rOK\u0000\u0008\u009b1m\u202e\u2028';
const evilBytes = String.raw`\033]0;taken\007\033[2J\rOK\010\302\2331m`;

let cluster: NshCluster;
let fake: FakeAgent | undefined;
const banner = `/tmp/nsh-e2e-banner-${process.pid}`;
beforeAll(async () => {
  writeFileSync(banner, evil);
  cluster = await startCluster({ count: 2, host: () => ({ sshdLines: [`Banner ${banner}`] }) });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterEach(async () => {
  await fake?.close();
  fake = undefined;
  await cluster.nsh(['agent', 'stop']);
  await cluster.hosts.clusterFile();
});
afterAll(async () => {
  rmSync(banner, { force: true });
  await cluster.stop();
});

async function fakeAgent(answers: FakeAnswers, report?: object): Promise<void> {
  await fake?.close();
  fake = await new FakeAgent(cluster.directory, answers, report).listen();
  await cluster.hosts.clusterFile({ agentCommand: fake.command });
}

/** No control characters but line feeds, and nothing that turns text around. */
function expectHarmless({ stdout, stderr }: NshResult): void {
  expect(`${stdout}${stderr}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
}

test('a process title with escape sequences is shown without them', async () => {
  const script = `exec -a "$(printf '${evilBytes}')title" sleep 4711`;
  const gpid = await cluster.start('-n', 'n1', '--', 'bash', '-c', script);
  for (const args of [
    ['-e'],
    ['aux'],
    ['-ef'],
    ['-eo', 'pid,args'],
    ['-e', '--forest'],
    ['-a', '-o', 'pid,args'],
    ['-e', '--json'],
  ]) {
    const result = await cluster.nsh(['ps', ...args]);
    expectHarmless(result);
    // `ps -e` shows the name of the program, not its arguments.
    expect(result.stdout).toContain(
      args.join() === '-e' || args.includes('--json') || args.includes('--forest') ? 'sleep' : 'title',
    );
  }
  expectHarmless(await cluster.nsh(['pgrep', '-a', '-f', 'title']));
  await cluster.nsh(['kill', '-KILL', String(gpid)]);
});

test('an argument, a name and a directory with escape sequences are shown without them, ended or not', async () => {
  const directory = join(cluster.host('n1').home, `${evil.replaceAll(/[\u0000]/g, '')}dir`);
  await cluster.host('n1').exec(['mkdir', directory]);
  const argument = evil.replaceAll('\u0000', '');
  const gpid = await cluster.start(
    '-n',
    'n1',
    '-C',
    directory,
    '--name',
    argument,
    '--',
    'sh',
    '-c',
    'exit 3',
    argument,
  );
  await cluster.nsh(['wait', String(gpid)]);
  for (const args of [
    ['ps', '-a', '--json'],
    ['ps', '-a', '-o', 'pid,args'],
    ['kill', String(gpid)],
    ['wait', `1.${gpid - 10_000_000}`],
  ])
    expectHarmless(await cluster.nsh(args));
  const missing = await cluster.nsh(['run', '-T', '-n', 'n1', '--', `no${argument}such`]);
  expect(missing.status).toBe(127);
  expectHarmless(missing);
});

test('what stands in for an agent and writes escape sequences is told without them', async () => {
  await cluster.hosts.clusterFile({
    agentCommand: `sh -c 'printf "${evilBytes}" >&2; printf "${evilBytes}\\n"; exit 3'`,
  });
  const failed = await cluster.nsh(['nodes']);
  expect(failed.status).toBe(3);
  expectHarmless(failed);
});

/** They look for the shim for a minute, which a hostile agent has not. */
const leadsToStream = new Set(['logs', 'run', 'attach']);

const refuse = { error: { code: -32001, message: `no${evil}way`, data: { code: 'internal', hint: evil } } };
const hello = { result: { protocol: 1, version: `0${evil}`, node: 1, name: `n${evil}`, boot: 'boot', pid: 4 } };
const record = {
  pid: 44,
  start: 1,
  boot: 'boot',
  argv: [evil],
  name: evil,
  cwd: evil,
  io: 'pipes',
  starter: { gpid: 0, user: evil, host: evil },
  startedAtMs: 1,
  onDisconnect: 'keep',
  keepBytes: 1,
  out: { base: 0, end: 0, closed: true },
  clients: 0,
  logError: evil,
  shim: { id: evil, socket: evil },
};

const commands = [
  ['nodes', 'n1'],
  ['ps', '-e'],
  ['ps', 'aux'],
  ['ps', '-e', '--json'],
  ['pgrep', '-a', '.'],
  ['kill', '10000044'],
  ['run', '-T', '-n', 'n1', '--', 'true'],
  ['run', '-d', '-n', 'n1', '--', 'true'],
  ['run', '-b', '-n', 'n1', '--', 'true'],
  ['logs', '10000044'],
  ['wait', '10000044'],
  ['attach', '10000044'],
  ['agent', 'status'],
  ['agent', 'status', '--json'],
];

test('errors of a hostile agent are shown without control characters', async () => {
  await fakeAgent({
    hello,
    info: refuse,
    ps: refuse,
    kill: refuse,
    run: refuse,
    find: refuse,
    wait: refuse,
    status: refuse,
    screen: refuse,
  });
  for (const args of commands) {
    const result = await cluster.nsh(args);
    expectHarmless(result);
    // The error did come through, as text.
    expect(`${result.stdout}${result.stderr}`).toMatch(/n1.*no\?.*OK.*way/s);
  }
});

test('a greeting and a start report that are hostile are shown without control characters', async () => {
  await fakeAgent({ hello: refuse });
  for (const args of commands.slice(0, 7)) expectHarmless(await cluster.nsh(args));
  await fakeAgent({}, { ok: false, error: { code: 1, message: `${evil} no` } });
  for (const args of commands.slice(0, 7)) expectHarmless(await cluster.nsh(args));
});

test('records and rows of a hostile agent are shown without control characters', async () => {
  const texts = new Set(['comm', 'euser', 'ruser', 'egroup', 'tty', 'wchan', 'cgroup']);
  const cell = (column: string): unknown =>
    column === 'pid' ? 44 : column === 'args' ? [evil, evil] : texts.has(column) ? evil : 0;
  const table = ({ columns }: { columns: string[] }): unknown => ({
    result: {
      boot: 'boot',
      nowMs: 1e12,
      uptimeSeconds: 10,
      memTotalKb: 1000,
      cpus: 1,
      pageBytes: 4096,
      columns,
      rows: [columns.map(cell)],
      managed: [record],
    },
  });
  const info = {
    hostname: evil,
    kernel: evil,
    arch: evil,
    boot: 'boot',
    cpus: 1,
    load1: 0,
    memTotalKb: 1,
    memAvailableKb: 1,
    uptimeSeconds: 1,
    processes: 1,
    managed: 1,
  };
  const status = {
    version: evil,
    protocol: 1,
    pid: 4,
    startedAtMs: 1,
    shims: [{ lpid: 5, id: evil, version: evil, processes: 1 }],
    managed: 1,
    rssKb: 1,
  };
  await fakeAgent({
    hello,
    ps: table,
    info: { result: info },
    status: { result: status },
    find: { result: { found: [record] } },
    kill: { result: { errors: [{ code: 'recycledPid', message: `now ${evil}` }] } },
    wait: { result: { code: null, signal: null, atMs: 1, lost: evil } },
    run: { result: { pid: 44, start: 1, boot: 'boot', shim: { id: 'x', socket: `/no/such${evil}` } } },
    screen: refuse,
  });
  for (const args of commands.filter(([name]) => !leadsToStream.has(name ?? ''))) {
    const result = await cluster.nsh(args);
    expectHarmless(result);
    expect([args, `${result.stdout}${result.stderr}`]).toEqual([args, expect.stringMatching(/OK|^ID +NODE/)]);
  }
});

test('answers that are no JSON, of the wrong shape or without end cost only that node', async () => {
  const bad: Record<string, unknown> = {
    hello,
    ps: '{"jsonrpc":"2.0","id":$ID,"result":{"boot":',
    info: { result: { hostname: [] } },
    status: { result: null },
  };
  await fakeAgent(bad);
  for (const args of [
    ['ps', '-e'],
    ['nodes', 'n1'],
    ['agent', 'status'],
  ]) {
    const result = await cluster.nsh(args);
    expect(result.status).toBe(3);
    expect(result.stderr).toMatch(/n1: /);
    expectHarmless(result);
  }
});
