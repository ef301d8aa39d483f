/** `nsh agent`: what runs, and ending it without ending what it runs. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isRunning, startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop());

const daemons = (node: string, name: string): number[] =>
  cluster
    .host(node)
    .processes()
    .filter(({ command }) => command.startsWith(name))
    .map(({ pid }) => pid);

test('status --json is an array with node, state, version, pid, lpid, shims and managed', async () => {
  const gpid = await cluster.start('-n', 'n1', '--', 'sleep', '1000');
  const rows = await cluster.agents();
  expect(rows.map(({ node, state }) => [node, state])).toEqual([
    ['localhost', 'up'],
    ['n1', 'up'],
    ['n2', 'stopped'],
  ]);
  const [own, first, second] = rows;
  expect(own).toMatchObject({ shims: [], managed: 0, version: expect.stringMatching(/^\d/) });
  expect(own?.pid).toBe(own?.lpid);
  expect(cluster.localDaemons()).toEqual([own?.lpid]);
  expect(first?.pid).toBe(10_000_000 + Number(first?.lpid));
  expect([first?.lpid]).toEqual(daemons('n1', 'nsh-agent'));
  expect(first?.shims.map(({ lpid }) => lpid)).toEqual(daemons('n1', 'nsh-shim'));
  expect(first?.managed).toBe(1);
  expect(second).toMatchObject({ version: null, pid: null, lpid: null, shims: [], managed: 0 });
  expect(daemons('n2', 'nsh-agent')).toEqual([]);
  await cluster.nsh(['kill', String(gpid)]);
});

test('start starts the agents of nodes, and does nothing where they run', async () => {
  expect((await cluster.nsh(['agent', 'start', '-n', 'n[1-2]'])).status).toBe(0);
  const before = daemons('n2', 'nsh-agent');
  expect(before).toHaveLength(1);
  expect((await cluster.nsh(['agent', 'start', '-n', 'n[1-2]'])).status).toBe(0);
  expect(daemons('n2', 'nsh-agent')).toEqual(before);
});

test('stop returns when the agent is gone; shim and process stay, and the next agent adopts them', async () => {
  const gpid = await cluster.start(
    '-n',
    'n1',
    '--',
    'sh',
    '-c',
    'echo before; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; echo after; exit 8',
  );
  const ended = await cluster.start('-n', 'n1', '--', 'sh', '-c', 'exit 4');
  expect((await cluster.nsh(['wait', String(ended)])).status).toBe(4);
  const shims = daemons('n1', 'nsh-shim');
  expect((await cluster.nsh(['agent', 'stop', '-n', 'n1'])).status).toBe(0);
  expect(daemons('n1', 'nsh-agent')).toEqual([]);
  expect(daemons('n1', 'nsh-shim')).toEqual(shims);
  expect(daemons('n1', 'sh -c echo before')).toEqual([gpid - 10_000_000]);
  expect((await cluster.agents()).find(({ node }) => node === 'n1')?.state).toBe('stopped');
  const waiting = cluster.spawnNsh(['wait', String(gpid)]);
  await cluster.host('n1').exec(['touch', `${cluster.host('n1').home}/go`]);
  expect((await waiting.end()).status).toBe(8);
  expect((await cluster.nsh(['logs', String(gpid)])).stdout).toBe('before\nafter\n');
  expect((await cluster.nsh(['wait', String(ended)])).status).toBe(4);
  expect(daemons('n1', 'nsh-shim')).toEqual(shims);
});

test("stop of this machine's agent in the middle of a stream and of a terminal: both go on", async () => {
  const script = 'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo "line $i"; sleep 0.005; done; exit 9';
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'sh', '-c', script]);
  const terminal = new NshTerminal(['run', '-n', 'n2', '--', 'sh', '-c', script], cluster.env);
  try {
    await running.untilStdout('line 50\n');
    await terminal.untilShown('line 50\r\n');
    const [before] = cluster.localDaemons();
    expect((await cluster.nsh(['agent', 'stop'])).status).toBe(0);
    expect(isRunning(before ?? 0)).toBe(false);
    const { stdout, status } = await running.end();
    const lines = Array.from({ length: 400 }, (_, line) => `line ${line + 1}`);
    expect(stdout).toBe(`${lines.join('\n')}\n`);
    expect(status).toBe(9);
    expect(await terminal.status()).toBe(9);
    expect(terminal.shown.match(/line \d+/g)).toEqual(lines);
  } finally {
    await terminal.close();
  }
});

test('stop --kill ends agent, shim and processes, one that ignores TERM and its children too', async () => {
  const stubborn = await cluster.start('-n', 'n2', '--', 'sh', '-c', 'trap "" TERM HUP; sleep 1001 & sleep 1002');
  const terminal = await cluster.start('-t', '-n', 'n2', '--', 'sleep', '1003');
  const { status } = await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n2']);
  expect(status).toBe(0);
  expect(
    cluster
      .host('n2')
      .processes()
      .filter(({ command }) => /^nsh-|sleep|trap/.test(command)),
  ).toEqual([]);
  const waited = await Promise.all([stubborn, terminal].map((gpid) => cluster.nsh(['wait', String(gpid)])));
  for (const { status: ended } of waited) expect(ended).toBeGreaterThan(128);
  expect((await cluster.nsh(['ps', '-a', '-o', 'pid='])).stdout).not.toContain(String(stubborn));
});

test('stop where nothing runs is no error', async () => {
  await cluster.nsh(['agent', 'stop', '-n', 'n2']);
  const { status, stderr } = await cluster.nsh(['agent', 'stop', '-n', 'n2']);
  expect([status, stderr]).toEqual([0, '']);
  expect((await cluster.nsh(['agent', 'stop'])).status).toBe(0);
  expect((await cluster.nsh(['agent', 'stop'])).status).toBe(0);
  expect(cluster.localDaemons()).toEqual([]);
});

test('stop --kill ends a shim that its agent has left, too', async () => {
  const gpid = await cluster.start('-n', 'n2', '--', 'sleep', '1000');
  expect((await cluster.nsh(['agent', 'stop', '-n', 'n2'])).status).toBe(0);
  expect([daemons('n2', 'nsh-agent'), daemons('n2', 'nsh-shim')]).toEqual([[], [expect.any(Number)]]);
  const { status, stderr } = await cluster.nsh(['agent', 'stop', '--kill', '-n', 'n2']);
  expect([status, stderr]).toEqual([0, '']);
  expect([daemons('n2', 'nsh-agent'), daemons('n2', 'nsh-shim'), daemons('n2', 'sleep 1000')]).toEqual([[], [], []]);
  expect((await cluster.nsh(['wait', String(gpid)])).status).toBeGreaterThan(128);
});

test("status without this machine's agent starts none: it is stopped, and the others were not asked", async () => {
  await cluster.nsh(['agent', 'stop']);
  const { status, stdout, stderr } = await cluster.nsh(['agent', 'status']);
  expect(stdout).toMatch(/^localhost +stopped [^]*^n1 +unreachable [^]*^n2 +unreachable /m);
  expect(status).toBe(3);
  for (const node of ['n1', 'n2'])
    expect(stderr).toContain(
      `nsh agent: ${node}: it was not asked: the agent of this machine, which asks the others, `,
    );
  expect(cluster.localDaemons()).toEqual([]);
});

test('an agent of this machine that stands still is named with its PID and what to do; stop on a node says so after 5 s', async () => {
  await cluster.nsh(['agent', 'start', '-n', 'n1']);
  const [pid = 0] = cluster.localDaemons();
  const [far = 0] = daemons('n1', 'nsh-agent');
  cluster.host('n1').kill(far, 'SIGSTOP');
  const stop = await cluster.nsh(['agent', 'stop', '-n', 'n1']);
  cluster.host('n1').kill(far, 'SIGCONT');
  expect([stop.status, stop.stderr]).toEqual([3, 'nsh agent: n1: no answer within 5 s\n']);
  process.kill(pid, 'SIGSTOP');
  const { status, stderr } = await cluster.nsh(['nodes']);
  process.kill(pid, 'SIGCONT');
  expect([status, stderr]).toEqual([255, expect.stringContaining(`(PID ${pid}) does not answer`)]);
  expect((await cluster.nsh(['nodes'])).status).toBe(0);
});

test('many commands at once that find no agent share one', async () => {
  await cluster.nsh(['agent', 'stop', '-n', 'n[1-2]']);
  await cluster.nsh(['agent', 'stop']);
  const results = await Promise.all(Array.from({ length: 8 }, () => cluster.nsh(['ps', '-eo', 'comm='])));
  for (const { status, stderr } of results) expect([status, stderr]).toEqual([0, '']);
  expect(cluster.localDaemons()).toHaveLength(1);
  for (const node of ['n1', 'n2']) expect(daemons(node, 'nsh-agent')).toHaveLength(1);
});

test('commands that come while the agent is being stopped succeed', async () => {
  const commands = Array.from({ length: 10 }, async (_, index) => {
    for (let round = 0; round < 2; round++) {
      const { status, stderr } = await cluster.nsh(['ps', '-eo', 'comm=']);
      expect([index, status, stderr]).toEqual([index, 0, '']);
    }
  });
  const stopping = (async () => {
    for (let stop = 0; stop < 3; stop++) {
      for (const pid of cluster.localDaemons()) process.kill(pid, 'SIGTERM');
      await new Promise((resolve) => {
        setTimeout(resolve, 1_500);
      });
    }
  })();
  await Promise.all([...commands, stopping]);
}, 60_000);

/** Says of every greeting that it speaks another protocol, as an agent of an older nsh would; holds the lock as agents do. */
const otherAgent = `
const fs = require('node:fs'), net = require('node:net');
const [directory] = process.argv.slice(1);
const start = (pid) => fs.readFileSync('/proc/' + pid + '/stat', 'latin1').replace(/.*\\) /s, '').split(' ')[19];
const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() + '-' + start(1);
fs.writeFileSync(directory + '/agent.lock', process.pid + ' ' + start(process.pid) + ' ' + boot + '\\n');
fs.rmSync(directory + '/agent.sock', { force: true });
const answer = { jsonrpc: '2.0', id: 1, error: { code: -32002, message: 'protocol 7', data: { code: 'protocolMismatch' } } };
net.createServer((socket) => socket.on('data', () => socket.write(JSON.stringify(answer) + '\\n'))).listen(directory + '/agent.sock', () => console.log('serves'));
process.on('SIGTERM', () => { fs.rmSync(directory + '/agent.sock'); fs.rmSync(directory + '/agent.lock'); process.exit(0); });
`;

test('an agent of another protocol on a node gives way to the installed one; its processes stay', async () => {
  const gpid = await cluster.start('-n', 'n1', '--', 'sleep', '1000');
  await cluster.nsh(['agent', 'stop', '-n', 'n1']);
  const host = cluster.host('n1');
  const old = host.exec([process.execPath, '-e', otherAgent, `${host.stateHome}/nsh/test/1`]);
  await expect.poll(() => host.processes().some(({ command }) => command.includes('protocolMismatch'))).toBe(true);
  const { status, stderr } = await cluster.nsh(['kill', '-0', String(gpid)]);
  expect([status, stderr]).toEqual([0, '']);
  expect((await old).stdout).toBe('serves\n');
});
