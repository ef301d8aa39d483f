/** What the options of `nsh run` do to a process on a node. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop());

const n1 = (...args: string[]) => cluster.nsh(['run', '-T', '-n', 'n1', ...args]);
let seconds = 5000;
/** A command that no other test has. */
const sleep = (): string[] => ['sleep', String(seconds++)];

test('-C sets the directory; the default is the home there; one that is missing gives 126', async () => {
  expect((await n1('-C', '/usr/lib', '--', 'pwd')).stdout).toBe('/usr/lib\n');
  expect((await n1('--', 'pwd')).stdout).toBe(`${cluster.host('n1').home}\n`);
  const missing = await n1('-C', '/no/such/place', '--', 'pwd');
  expect([missing.status, missing.stderr]).toEqual([126, expect.stringMatching(/^nsh run: n1: .*\/no\/such\/place/)]);
});

test('-e sets variables, and the process is told who and where it is', async () => {
  const { stdout } = await n1(
    '-e',
    'A=1=2',
    '-e',
    'B=',
    '-e',
    'LANG',
    '--',
    'sh',
    '-c',
    'echo "$A|$B|$LANG|$NSH_NODE|$NSH_GPID|$((10000000 + $$))"; test -S "$NSH_SOCKET" && echo socket',
  );
  const [line = '', socket] = stdout.split('\n');
  const [a, b, lang, node, gpid, own] = line.split('|');
  expect([a, b, lang, node, socket]).toEqual(['1=2', '', 'C.UTF-8', '1', 'socket']);
  expect(gpid).toBe(own);
  expect((await n1('-e', 'NOT_SET_HERE', '--', 'true')).status).toBe(2);
});

test('argv goes as it is, without a shell', async () => {
  const words = ['$HOME', '*', "it's", 'a  b', '', '\\n', '"', ';exit 3', 'é\u{1f600}'];
  const { stdout } = await n1('--', 'printf', '<%s>', ...words);
  expect(stdout).toBe(words.map((word) => `<${word}>`).join(''));
});

test('--name is shown and kept', async () => {
  const gpid = await cluster.start('-n', 'n1', '--name', 'trainer', '--', ...sleep());
  const { stdout } = await cluster.nsh(['ps', '-a', '-o', 'pid=,name=']);
  expect(stdout).toMatch(new RegExp(`${gpid} trainer$`, 'm'));
  await cluster.nsh(['kill', String(gpid)]);
});

test('--keep bounds what logs shows: the newest bytes, or none', async () => {
  const command = ['seq', '-f', 'line number %.0f', '100000'];
  const [some, none] = [
    await cluster.start('-n', 'n1', '--keep', '100K', '--', ...command),
    await cluster.start('-n', 'n1', '--keep=none', '--', ...command),
  ];
  await cluster.nsh(['wait', String(some), String(none)]);
  const kept = (await cluster.nsh(['logs', String(some)])).stdout;
  expect(kept.endsWith('line number 100000\n')).toBe(true);
  expect(kept.length).toBeGreaterThan(100_000);
  expect(kept.length).toBeLessThan(300_000);
  expect((await cluster.nsh(['logs', String(none)])).stdout).toBe('');
});

test('--timeout ends a process that takes longer, with 128 and the number of TERM', async () => {
  const { status, tookMs } = await n1('--timeout', '500ms', '--', ...sleep());
  expect(status).toBe(128 + 15);
  expect(tookMs).toBeLessThan(5_000);
  expect((await n1('--timeout', '30s', '--', 'sh', '-c', 'exit 3')).status).toBe(3);
});

test('-d on many nodes prints one cluster PID a line, in the order of the nodes', async () => {
  const { stdout, stderr, status } = await cluster.nsh(['run', '-d', '--all', '--', 'true']);
  expect(stdout).toMatch(/^1\d{7}\n2\d{7}\n$/);
  expect([stderr, status]).toEqual(['', 0]);
});

test('without -n a process is placed on a node of the cluster', async () => {
  const { stdout, status } = await cluster.nsh(['run', '-d', '--', 'true']);
  expect(stdout).toMatch(/^[12]\d{7}\n$/);
  expect(status).toBe(0);
});

test('what a process leaves in the background does not keep run from ending', async () => {
  const words = sleep();
  const { stdout, status } = await n1(
    '--',
    'sh',
    '-c',
    `${words.join(' ')} >/dev/null 2>&1 </dev/null & echo started; exit 2`,
  );
  expect([stdout, status]).toEqual(['started\n', 2]);
  await cluster.nsh(['pkill', '-f', `^${words.join(' ')}$`]);
});

test('that --timeout ended a process is said, for one and for many', async () => {
  const one = await n1('--timeout', '300ms', '--', 'sh', '-c', 'echo $NSH_GPID; exec sleep 1000');
  expect(one.status).toBe(128 + 15);
  expect(one.stderr).toBe(`nsh run: ${one.stdout.trim()}: ended by --timeout after 300ms\n`);
  const many = await cluster.nsh(['run', '--all', '--timeout', '300ms', '--', 'sleep', '1000']);
  expect(many.status).toBe(128 + 15);
  expect(many.stderr).toMatch(/^nsh run: 1\d{7}: ended by --timeout after 300ms$/m);
  expect(many.stderr).toMatch(/^nsh run: 2\d{7}: ended by --timeout after 300ms$/m);
  const terminal = new NshTerminal(
    ['run', '-n', 'n1', '--timeout', '300ms', '--', 'sh', '-c', 'printf "$ "; exec sleep 1000'],
    cluster.env,
  );
  try {
    expect(await terminal.status()).toBe(128 + 15);
    expect(terminal.shown).toMatch(/^\$ \r\nnsh run: 1\d{7}: ended by --timeout after 300ms\r\n/);
  } finally {
    await terminal.close();
  }
  const inTime = await n1('--timeout', '1m', '--', 'sh', '-c', 'kill -TERM $$');
  expect([inTime.stderr, inTime.status]).toEqual(['', 128 + 15]);
});

test('after detaching nsh speaks on a line of its own, and after an end it says nothing', async () => {
  for (const [prompt, between] of [
    ['$ ', '\r\n'],
    ['up\n', '\r\n'],
  ] as const) {
    const script = `printf '${prompt.replace('\n', String.raw`\n`)}'; read -r line; printf 'bye'`;
    const terminal = new NshTerminal(['run', '-n', 'n1', '--', 'sh', '-c', script], cluster.env);
    try {
      await terminal.untilShown(prompt.trim());
      terminal.type('\u001cd');
      expect(await terminal.status()).toBe(0);
      const [, gpid = ''] = /\[detached from (\d+); nsh attach \1\]/.exec(terminal.shown) ?? [];
      expect(terminal.shown).toContain(
        `${prompt.trimEnd()}${prompt.endsWith(' ') ? ' ' : ''}${between}[detached from ${gpid}`,
      );
      const again = new NshTerminal(['attach', gpid], cluster.env);
      try {
        await again.untilShown(prompt.trim());
        again.type('x\r');
        expect(await again.status()).toBe(0);
        expect(again.shown).toContain(`bye\r\n[${gpid} exited with status 0]`);
      } finally {
        await again.close();
      }
    } finally {
      await terminal.close();
    }
  }
  const plain = new NshTerminal(['run', '-n', 'n1', '--', 'printf', 'bye'], cluster.env);
  try {
    expect(await plain.status()).toBe(0);
    expect(plain.shown).toMatch(/^bye\[status 0/);
  } finally {
    await plain.close();
  }
});
