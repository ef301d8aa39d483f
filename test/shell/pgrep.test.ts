/** pgrep and pkill, held against procps's on this machine, and their answers for a cluster. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pgrepCommand } from '../../shell/commands/pgrep.ts';
import { pkillCommand } from '../../shell/commands/pkill.ts';
import { compileExtendedRegex } from '../../shell/ps/match/extended-regex.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { fakeCluster, runCommand, thisMachine, type FakeNode } from './ps/fake-cluster.ts';
import { startSamples, type Samples } from './ps/sample-processes.ts';
import { tableOf } from './ps/tables.ts';

let samples: Samples;
let directory: string;
const machine = fakeCluster([thisMachine()]);

beforeAll(async () => {
  samples = await startSamples();
  directory = mkdtempSync(join(tmpdir(), 'nsh-pgrep-'));
  writeFileSync(join(directory, 'pid'), `${samples.named['plain']}\n`);
  writeFileSync(join(directory, 'empty'), '');
});
afterAll(async () => {
  await samples.close();
  rmSync(directory, { recursive: true });
});

function procps(args: readonly string[]): { status: number; stdout: string } {
  try {
    return {
      status: 0,
      stdout: execFileSync('pgrep', args, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      }),
    };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    return { status, stdout };
  }
}

/** Both answers from a moment in which nothing that matters to them came or went: other tests start processes too. */
async function askBoth(args: readonly string[]) {
  for (let attempt = 1; ; attempt += 1) {
    const before = procps(args);
    const ours = await pgrep(args);
    const theirs = procps(args);
    if (before.stdout === theirs.stdout || attempt === 50) return { theirs, ours };
  }
}

const pgrep = (args: readonly string[], cluster = machine) => runCommand(pgrepCommand, args, cluster);

describe('pgrep of this machine answers as procps', () => {
  const parent = String(process.pid);
  it.each([
    ['exactly'],
    ['exactly-fifteen', '-x'],
    ['exactly', '-x'],
    ['EXACTLY', '-i'],
    ['^a-name'],
    ['a-name-of-more-than', '-f'],
    ['^/bin/sleep 30[1-5]$', '-f'],
    ['sleep 30(1|2)', '-f'],
    ['schl.fer', '-f'],
    ['^paren', '-f', '-a'],
    ['fifteen', '-l'],
    ['fifteen', '-a'],
    ['fifteen', '-c'],
    ['fifteen', '-d', ', '],
    ['nothing-is-called-so'],
    ['nothing-is-called-so', '-c'],
    ['-P', 'PARENT'],
    ['-P', 'PARENT', 'sleep'],
    ['-P', 'PARENT', '-l'],
    ['-P', 'PARENT', '-n'],
    ['-P', 'PARENT', '-o'],
    ['-P', 'PARENT', '-u', 'daemon'],
    ['-P', 'PARENT', '-U', '1,54321'],
    ['-P', 'PARENT', '-G', 'daemon'],
    ['-P', 'PARENT', '-r', 'T'],
    ['-P', 'PARENT', '-r', 'S,T', '-c'],
    ['-P', 'PARENT', '-O', '100000'],
    ['-P', 'PARENT', '-O', '0', '-c'],
    ['-g', 'TREE'],
    ['-s', 'TREE', 'sleep'],
    ['--parent=PARENT', '--exact', 'sleep'],
    ['-F', 'PIDFILE'],
    ['-F', 'EMPTY'],
    ['-v', '-P', '999999', '-x', 'kthreadd', '-c', '-n'],
    ['-n', '-o', 'x'],
    [],
    ['a', 'b'],
    ['['],
    ['a{2,1}'],
    ['*x'],
    ['(x'],
    ['[[:foo:]]'],
    ['--nosuch', 'x'],
  ])('pgrep %s %s %s %s', async (...words: string[]) => {
    const known: Record<string, string> = {
      PARENT: parent,
      TREE: String(samples.named['tree']),
      PIDFILE: join(directory, 'pid'),
      EMPTY: join(directory, 'empty'),
    };
    const args = words.map((word) => word.replace(/PARENT|TREE|PIDFILE|EMPTY/, (name) => known[name] ?? ''));
    const { theirs, ours } = await askBoth(args);
    expect(ours.stdout).toBe(theirs.stdout);
    expect(ours.status).toBe(theirs.status);
  });

  it('-A leaves out what led to this process', async () => {
    const led = (await pgrep(['-f', 'vitest'])).stdout.split('\n');
    const others = (await pgrep(['-A', '-f', 'vitest'])).stdout.split('\n');
    expect(led).toContain(String(process.ppid));
    expect(others).not.toContain(String(process.ppid));
    expect(led).not.toContain(String(process.pid));
  });

  it('refuses what makes no sense across nodes, by name', async () => {
    expect(await pgrep(['-w', 'x'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('not threads') as string,
    });
    expect((await pgrep(['--ns', '1', 'x'])).status).toBe(2);
  });

  it('warns of a name that cannot match', async () => {
    expect((await pgrep(['sixteen-and-more'])).stderr).toContain('longer than 15 characters');
  });
});

describe('extended regular expressions', () => {
  const matches = (pattern: string, text: string, exact = false): boolean =>
    compileExtendedRegex(pattern, { ignoreCase: false, exact }).test(text);

  /** grep -E is the same regcomp. */
  it.each([
    ['a.c', 'abc'],
    ['a\\.c', 'abc'],
    ['[[:digit:]]+', 'x42'],
    ['^[^[:space:]]+$', 'a b'],
    ['[]x]', ']'],
    ['[^]x]', ']'],
    ['[a-]', '-'],
    ['[\\d]', 'd'],
    ['[\\d]', '\\'],
    ['\\d', '5'],
    ['\\d', 'd'],
    ['\\w+\\W', 'ab!'],
    ['\\bfoo\\b', 'a foo b'],
    ['\\<foo', 'xfoo'],
    ['foo\\>', 'foo,'],
    ['(a|b)\\1', 'bb'],
    ['(a|b)\\1', 'ab'],
    ['a{2}', 'aa'],
    ['a{,2}b', 'aab'],
    ['^a{2,3}$', 'aaaa'],
    ['a++', 'aa'],
    ['a*?b', 'b'],
    ['a)', 'a)'],
    ['a|b|', 'zzz'],
    ['^(ab)*$', 'abab'],
    ['x/y', 'x/y'],
    ['$', ''],
    ['a^b', 'a^b'],
    ['[.]', 'x'],
    ['[&]', '&'],
    ['[[:alpha:]_-]+$', 'a_-'],
    ['é', 'é'],
    ['^.$', 'é'],
    ['[[:upper:]]', 'a'],
    ['[[:punct:]]', '~'],
  ])('%s on %j matches as with grep -E', (pattern, text) => {
    const grep = (): boolean => {
      try {
        execFileSync('grep', ['-qE', '-e', pattern], {
          input: `${text}\n`,
          env: { ...process.env, LC_ALL: 'C.UTF-8' },
        });
        return true;
      } catch {
        return false;
      }
    };
    expect(matches(pattern, text)).toBe(grep());
  });

  it('says what is wrong', () => {
    for (const pattern of ['(', '[a', '[[:nope:]]', 'a\\', '*', '(*a)', '[b-a]', '[[.x.]]']) {
      expect(() => compileExtendedRegex(pattern, { ignoreCase: false, exact: false })).toThrow(/^regex error: /);
    }
  });
});

describe('a cluster', () => {
  const node = (id: number, name: string, startMs = 0): FakeNode => ({
    id,
    name,
    ps: (params) => ({
      ...tableOf([
        { pid: 10, comm: 'nginx', args: ['nginx: master'], ppid: 1, start: 500 },
        { pid: 11, comm: 'nginx', args: ['nginx: worker'], ppid: 10, start: 600 },
        { pid: 12, comm: 'ev\x1bil', args: ['x'], ppid: 1, start: 700 },
      ])(params),
      nowMs: Date.UTC(2026, 0, 2) + startMs,
    }),
    kill: ({ targets }) => ({
      errors: targets.map(({ pid }) =>
        pid === 11 ? { code: 'notPermitted', message: 'Operation not permitted' } : null,
      ),
    }),
  });
  const down: FakeNode = { id: 4, name: 'db1', failure: new NshError('timeout', 'no answer within 5 s') };
  const both = () => fakeCluster([node(1, 'web1', 1000), node(2, 'web2')]);

  it('prints cluster PIDs of all nodes, or of those that --on names', async () => {
    expect((await pgrep(['nginx'], both())).stdout).toBe('10000010\n10000011\n20000010\n20000011\n');
    expect((await pgrep(['--on', 'web2', '-a', 'nginx'], both())).stdout).toBe(
      '20000010 nginx: master\n20000011 nginx: worker\n',
    );
  });

  it('finds the newest and the oldest of all nodes by the clock', async () => {
    expect((await pgrep(['-n', 'nginx'], both())).stdout).toBe('10000011\n');
    expect((await pgrep(['-o', 'nginx'], both())).stdout).toBe('20000010\n');
  });

  it('takes cluster PIDs for parents', async () => {
    expect((await pgrep(['-P', 'web1.10,20000010'], both())).stdout).toBe('10000011\n20000011\n');
  });

  it('escapes names', async () => {
    expect((await pgrep(['-l', '^ev'], both())).stdout).toBe('10000012 ev?il\n20000012 ev?il\n');
  });

  it('exits 3 where a node did not answer, and names it', async () => {
    const result = await pgrep(['nginx'], fakeCluster([node(1, 'web1'), down]));
    expect(result).toEqual({
      status: 3,
      stdout: '10000010\n10000011\n',
      stderr: 'nsh pgrep: db1: no answer within 5 s\n',
    });
  });

  it('pkill signals each node once, with the incarnations seen, and says what failed', async () => {
    const cluster = both();
    const result = await runCommand(pkillCommand, ['-HUP', '-e', 'nginx'], cluster);
    const kills = cluster.calls.filter(({ method }) => method === 'kill');
    expect(kills.map(({ node: name, params }) => [name, params])).toEqual(
      ['web1', 'web2'].map((name) => [
        name,
        {
          signal: 1,
          targets: [10, 11].map((pid) => ({ pid, start: pid * 100 - 500, boot: expect.any(String) as string })),
        },
      ]),
    );
    expect(result).toEqual({
      status: 0,
      stdout: 'nginx killed (pid 10000010)\nnginx killed (pid 20000010)\n',
      stderr: [10000011, 20000011]
        .map((pid) => `nsh pkill: killing pid ${pid} failed: Operation not permitted\n`)
        .join(''),
    });
  });

  it('pkill exits 1 where nothing was signalled, 2 where the line is wrong', async () => {
    expect((await runCommand(pkillCommand, ['nothing'], both())).status).toBe(1);
    expect((await runCommand(pkillCommand, ['worker', '-f'], both())).status).toBe(1);
    expect((await runCommand(pkillCommand, [], both())).status).toBe(2);
    expect((await runCommand(pkillCommand, ['--signal', 'NOPE', 'x'], both())).status).toBe(2);
  });

  it.each([
    [['-9', 'nginx'], 9],
    [['nginx', '-SIGUSR1'], 10],
    [['--signal', 'USR2', 'nginx'], 12],
    [['nginx'], 15],
    [['-x', 'nginx'], 15],
  ])('pkill %j sends %i', async (args, signal) => {
    const cluster = both();
    await runCommand(pkillCommand, args, cluster);
    const [first] = cluster.calls.filter(({ method }) => method === 'kill');
    expect(first?.params).toMatchObject({ signal });
  });
});

it('pgrep finds a process that was started a moment ago', async () => {
  const child = spawn('/bin/sleep', ['300.125'], { stdio: 'ignore' });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  try {
    await new Promise((resolve) => child.once('spawn', resolve));
    expect((await pgrep(['-f', 'sleep 300.125$'])).stdout).toBe(`${child.pid}\n`);
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
});
