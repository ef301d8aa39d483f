/** An agent that is killed, on either side, in the middle of a stream: nothing is lost, doubled or noticed. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
const terminals: NshTerminal[] = [];
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.close();
});
afterAll(() => cluster.stop());

/** Numbered lines, 100 each 10 ms and more, for some seconds; then status 7. */
const lineCount = 20_000;
const script = `i=0; while [ $i -lt ${lineCount} ]; do i=$((i+1)); echo "line $i"; [ $((i % 100)) -eq 0 ] && sleep 0.01; done; exit 7`;
const lines = Array.from({ length: lineCount }, (_, line) => `line ${line + 1}`);

async function killRemote(): Promise<void> {
  cluster.host('n1').kill(await cluster.agentPid('n1'), 'SIGKILL');
}
/** Without asking it: the PID stands in its lock. */
function killLocal(): void {
  const pids = cluster.localDaemons();
  expect(pids).toHaveLength(1);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

test('the agent of the node is killed under pipes: every line arrives, and the exit status', async () => {
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'sh', '-c', script]);
  await running.untilStdout('line 2000\n');
  await killRemote();
  const { stdout, stderr, status } = await running.end();
  expect(stdout === `${lines.join('\n')}\n`).toBe(true);
  expect([stderr, status]).toEqual(['', 7]);
});

test('the agent of this machine is killed twice under pipes: the stream goes on at its offset', async () => {
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'sh', '-c', script]);
  const gaps: number[] = [];
  for (const line of [3000, 10_000]) {
    await running.untilStdout(`line ${line}\n`);
    killLocal();
    gaps.push(await nextOutput(() => running.outBytes));
  }
  const { stdout, stderr, status } = await running.end();
  process.stdout.write(
    `pipes resumed ${gaps.map(Math.round).join(' and ')} ms after SIGKILL of this machine's agent\n`,
  );
  expect(stdout === `${lines.join('\n')}\n`).toBe(true);
  expect([stderr.replace(/.*connecting again\n/g, ''), status]).toEqual(['', 7]);
  expect(Math.max(...gaps)).toBeLessThan(8_000);
});

test('stdin that goes in while the agent of this machine is killed arrives once', async () => {
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'cat']);
  for (let line = 1; line <= 2000; line++) {
    running.child.stdin.write(`line ${line}\n`);
    if (line === 600) await running.untilStdout('line 600\n');
    if (line === 700 || line === 1400) killLocalWhereItRuns();
    if (line % 50 === 0) await new Promise(setImmediate);
  }
  running.child.stdin.end();
  const { stdout, status } = await running.end();
  expect(stdout === `${lines.slice(0, 2000).join('\n')}\n`).toBe(true);
  expect(status).toBe(0);
});

test.for(['node', 'this machine'])(
  'the agent of %s is killed under a terminal: every line is drawn once',
  async (where) => {
    const terminal = new NshTerminal(['run', '-n', 'n1', '--', 'sh', '-c', script], cluster.env);
    terminals.push(terminal);
    await terminal.untilShown('line 3000\r\n');
    if (where === 'node') await killRemote();
    else killLocal();
    const gap = await nextOutput(() => terminal.shown.length);
    expect(await terminal.status(30_000)).toBe(7);
    process.stdout.write(`a terminal went on ${Math.round(gap)} ms after SIGKILL of the agent of ${where}\n`);
    // Off the program's own lines: the notice on the last row after a second, and its removal.
    const drawn = terminal.shown.replaceAll(/\u001b7\u001b\[24;1H.*?\u001b8/g, '');
    expect(drawn.split('\r\n').filter((text) => text.includes('line'))).toEqual(lines);
    expect(gap).toBeLessThan(8_000);
  },
);

test('keys typed while the agent of this machine is dead reach the process once, in order', async () => {
  const terminal = new NshTerminal(
    ['run', '-n', 'n1', '--', 'sh', '-c', 'stty -echo; echo ready; while read -r line; do echo "got $line"; done'],
    cluster.env,
  );
  terminals.push(terminal);
  await terminal.untilShown('ready');
  terminal.type('one\r');
  await terminal.untilShown('got one');
  killLocal();
  terminal.type('two\rthree\r');
  await terminal.untilShown('got three');
  terminal.type('\u0004');
  expect(await terminal.status()).toBe(0);
  expect(terminal.shown.match(/got \w+/g)).toEqual(['got one', 'got two', 'got three']);
});

test('after both agents were killed ps -a, wait and logs know the running and the ended processes', async () => {
  const ended = await cluster.start('-n', 'n1', '--', 'sh', '-c', 'echo of the ended; exit 6');
  const running = await cluster.start('-n', 'n1', '--', 'sh', '-c', 'echo of the running; exec sleep 1000');
  expect((await cluster.nsh(['wait', String(ended)])).status).toBe(6);
  const before = await cluster.agentPid('n1');
  await killRemote();
  killLocal();
  const { stdout } = await cluster.nsh(['ps', '-a', '-o', 'pid=,args=']);
  expect(stdout).toMatch(new RegExp(`${running} +sleep 1000`));
  expect(await cluster.agentPid('n1')).not.toBe(before);
  expect((await cluster.nsh(['wait', String(ended)])).status).toBe(6);
  expect((await cluster.nsh(['logs', String(ended)])).stdout).toBe('of the ended\n');
  expect((await cluster.nsh(['logs', String(running)])).stdout).toBe('of the running\n');
  const waiting = cluster.spawnNsh(['wait', String(running)]);
  expect((await cluster.nsh(['kill', '-KILL', String(running)])).status).toBe(0);
  expect((await waiting.end()).status).toBe(128 + 9);
});

test('wait goes on while either agent is killed and started again', async () => {
  const go = `${cluster.host('n1').home}/go-${performance.now()}`;
  const until = `while [ ! -e ${go} ]; do sleep 0.05; done; exit 11`;
  const gpid = await cluster.start('-n', 'n1', '--', 'sh', '-c', until);
  const waiting = cluster.spawnNsh(['wait', String(gpid)]);
  await new Promise((resolve) => {
    setTimeout(resolve, 500);
  });
  await killRemote();
  await waitUntil(async () => (await cluster.nsh(['kill', '-0', String(gpid)])).status === 0, 'the agent of the node');
  killLocal();
  await cluster.host('n1').exec(['touch', go]);
  const { status, stderr } = await waiting.end();
  expect([status, stderr]).toEqual([11, '']);
});

/** ms until more has come. */
async function nextOutput(count: () => number): Promise<number> {
  const began = performance.now();
  // What was on its way already comes at once: only what comes after a pause is news.
  let last = { count: count(), atMs: began };
  let gap = 0;
  await waitUntil(
    () => {
      const now = performance.now();
      if (count() !== last.count) {
        gap = Math.max(gap, now - last.atMs);
        last = { count: count(), atMs: now };
      }
      return gap > 60 || (now - began > 1_500 && now - last.atMs < 50);
    },
    'more output',
    12_000,
  );
  return gap;
}

function killLocalWhereItRuns(): void {
  for (const pid of cluster.localDaemons()) process.kill(pid, 'SIGKILL');
}
