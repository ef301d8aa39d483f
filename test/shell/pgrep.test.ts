/** pgrep and pkill, held against procps's on this machine, and their answers for a cluster. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pgrepCommand } from '../../shell/commands/pgrep.ts';
import { pkillCommand } from '../../shell/commands/pkill.ts';
import { compileExtendedRegex } from '../../shell/ps/match/extended-regex.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { fakeCluster, runCommand, thisMachine, type FakeNode } from './ps/fake-cluster.ts';
import { startSamples, until, type Samples } from './ps/sample-processes.ts';
import { startThreadedProcess, type ThreadedProcess } from './ps/threaded-process.ts';
import { tableOf } from './ps/tables.ts';

let samples: Samples;
let threaded: ThreadedProcess;
let directory: string;
const holders: ChildProcess[] = [];
let places: Record<string, string> = {};
const machine = fakeCluster([thisMachine()]);

beforeAll(async () => {
  [samples, threaded] = await Promise.all([startSamples(), startThreadedProcess()]);
  directory = mkdtempSync(join(tmpdir(), 'nsh-pgrep-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const plain = `${samples.named['plain']}\n`;
  file('empty', '');
  places = {
    PARENT: String(process.pid),
    PLAIN: plain.trim(),
    LAST: String(threaded.tids.at(-1)),
    THREADS: file('threads', `${threaded.pid}\n`),
    PIDFILE: file('pid', plain),
    FLOCKED: file('flocked', plain),
    LOCKED: file('locked', plain),
  };
  const lock = '$l = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die';
  const perl = `use Fcntl; open(F, "+<", shift); ${lock}; sleep 300`;
  hold('flock', [places['FLOCKED'] ?? '', 'sleep', '300']);
  hold('perl', ['-e', perl, places['LOCKED'] ?? '']);
  places['OUTSIDE'] = await startOutside(plain.trim());
  const locks = (): number =>
    readFileSync('/proc/locks', 'latin1')
      .split('\n')
      .filter((line) => ['flocked', 'locked'].some((name) => line.includes(`:${statSync(join(directory, name)).ino} `)))
      .length;
  await until(() => locks() === 2, 'the locks');
});
afterAll(async () => {
  await Promise.all([samples.close(), threaded.close(), ...holders.map(end)]);
  rmSync(directory, { recursive: true });
});

/** A process with a network of its own, or, where that is not permitted, the other one. */
async function startOutside(other: string): Promise<string> {
  const flags = process.getuid?.() === 0 ? '-n' : '-Un';
  const pid = hold('unshare', [flags, 'sleep', '301']);
  const child = holders.at(-1);
  const own = readlinkSync('/proc/self/ns/net');
  const isOutside = (): boolean => child?.exitCode === null && readlinkSync(`/proc/${pid}/ns/net`) !== own;
  await until(() => child?.exitCode !== null || isOutside(), 'a network namespace');
  return child?.exitCode === null ? String(pid) : other;
}

function hold(file: string, args: readonly string[]): number {
  const child = spawn(file, args, { stdio: 'ignore', detached: true });
  if (child.pid === undefined) throw new Error(`cannot start ${file}`);
  holders.push(child);
  return child.pid;
}

/** With what it started: each has a process group of its own. */
async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null) return;
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await gone;
}

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
    expect(await pgrep(['-q', '1', 'x'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('without a value') as string,
    });
    for (const option of ['-v', '-w', '--lightweight']) {
      expect((await runCommand(pkillCommand, [option, 'nobody-is-called-so'], machine)).status).toBe(2);
    }
  });

  it.each([
    ['-w', '-P', 'PARENT', 'node'],
    ['-w', 'thread-LAST', '-x'],
    ['-w', '-l', '-F', 'THREADS'],
    ['-w', '-a', '-F', 'THREADS', 'node'],
    ['-w', '-c', '-F', 'THREADS'],
    ['-w', '-n', '-F', 'THREADS'],
    ['-w', '-o', '-F', 'THREADS'],
    ['-w', '-v', '-F', 'THREADS', '-x', 'kthreadd', '-c', '-n'],
    ['thread-LAST'],
    ['--ns', 'OUTSIDE', '--nslist', 'net'],
    ['--ns', 'OUTSIDE', '--nslist', 'mnt', '-P', 'PARENT'],
    ['--ns', 'OUTSIDE', 'sleep', '-x', '-P', 'PARENT'],
    ['--ns', 'PLAIN', '-P', 'PARENT'],
    ['--ns', '4194303', 'x'],
    ['--ns', 'PLAIN', '--nslist', 'nosuch'],
    ['-L', '-F', 'PIDFILE'],
    ['-L', '-F', 'FLOCKED'],
    ['-L', '-F', 'LOCKED'],
    ['-L', 'x'],
  ])('pgrep %s %s %s %s', async (...words: string[]) => {
    const args = words.map((word) => word.replace(/[A-Z]{4,}/, (name) => places[name] ?? name));
    const { theirs, ours } = await askBoth(args);
    expect(ours.stdout).toBe(theirs.stdout);
    expect(ours.status).toBe(theirs.status);
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

  it('-w prints threads as cluster PIDs, each with its own name', async () => {
    const threads: FakeNode = {
      id: 3,
      name: 'web3',
      ps: tableOf([
        { pid: 10, tid: 10, comm: 'db', args: ['db'] },
        { pid: 10, tid: 17, comm: 'db-writer', args: ['db'] },
      ]),
    };
    const cluster = fakeCluster([threads]);
    expect((await pgrep(['-w', '-l', 'db'], cluster)).stdout).toBe('30000010 db\n30000017 db-writer\n');
    expect((await pgrep(['-w', '-x', 'db-writer'], cluster)).stdout).toBe('30000017\n');
    expect(cluster.calls[0]?.params).toMatchObject({ threads: true });
  });

  it('--ns finds processes of that process’s node only, whatever numbers other nodes give', async () => {
    const spaces = { netNs: 5, mntNs: 6, pidNs: 7, utsNs: 8, ipcNs: 9, userNs: 10, cgroupNs: 11, timeNs: 12 };
    const like = (id: number, name: string): FakeNode => ({
      id,
      name,
      ps: tableOf([
        { pid: 10, comm: 'a', ...spaces },
        { pid: 11, comm: 'b', ...spaces, netNs: 55 },
        { pid: 12, comm: 'c', ...spaces },
        { pid: 13, comm: 'd', ...spaces, netNs: null },
      ]),
    });
    const cluster = fakeCluster([like(1, 'web1'), like(2, 'web2')]);
    expect((await pgrep(['--ns', 'web2.10'], cluster)).stdout).toBe('20000010\n20000012\n');
    expect((await pgrep(['--ns', '10000010', '--nslist', 'mnt,pid'], cluster)).stdout).toBe(
      '10000010\n10000011\n10000012\n10000013\n',
    );
    expect(await pgrep(['--ns', 'web1.13'], cluster)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('--ns 10000013: its namespaces may not be looked at') as string,
    });
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
