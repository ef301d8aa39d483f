/** Faults of the surroundings that a person can mend: one line that names what is at fault and what to set, never a stack. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RunningNsh, nshProgram, type NshResult } from './nsh-program.ts';
import { OneMachine } from './one-machine.ts';

/** In no user database. */
const strangerUid = 12_345;

let machine: OneMachine;
let directory: string;
beforeAll(() => {
  machine = new OneMachine();
  directory = mkdtempSync('/tmp/nsh-faults-');
  writeFileSync(join(directory, 'file'), '');
  symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'));
});
afterEach(({ task }) => machine.cleanAfter(task));
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await machine.stop();
});

async function nsh(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<NshResult> {
  const running = new RunningNsh(args, { ...machine.env, ...env });
  running.child.stdin.end();
  return await running.end();
}

test.each([
  ['is a file', () => join(directory, 'file')],
  ['is a dangling link', () => join(directory, 'dangling')],
  ['may not be written to', () => '/sys'],
])('a state directory that %s is named with the variable to set', async (_what, path) => {
  const { status, stderr } = await nsh(['ps', '-a'], { XDG_STATE_HOME: path() });
  expect(stderr).toMatch(/^nsh ps: [^\n]*: set XDG_STATE_HOME to a directory that you may write to\n$/);
  expect(stderr).toContain(`nsh ps: ${path()}/nsh/local/`);
  expect(status).toBe(255);
});

describe.runIf(process.getuid?.() === 0)('with a /tmp that may not be written to', () => {
  /** In a mount namespace of its own (unshare(1)). */
  const nshThere = (words: readonly string[], env: Readonly<Record<string, string>>) => {
    // What lies there, this checkout perhaps, can still be read.
    const script = 'mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp && exec "$@"';
    return spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', process.execPath, nshProgram, ...words], {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      cwd: '/',
    });
  };

  test('the directory for sockets is named, with why it is needed and what to set', () => {
    const home = mkdtempSync(`/var/tmp/nsh-${'long'.repeat(20)}-`);
    try {
      const { status, stderr } = nshThere(['ps', '-a'], { HOME: home });
      expect(stderr).toMatch(
        /^nsh ps: \/tmp\/nsh-[^\n]* cannot be used: Read-only file system\. [^\n]*: set XDG_STATE_HOME to a short [^\n]*\n$/,
      );
      expect(status).toBe(255);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  test('the demo says what to set', () => {
    const { status, stderr } = nshThere(['demo', '--', 'true'], { HOME: '/' });
    expect(stderr).toMatch(/^nsh demo: \/tmp cannot be used: Read-only file system\. [^\n]*: set TMPDIR to [^\n]*\n$/);
    expect(status).toBe(255);
  });
});

describe.runIf(process.getuid?.() === 0)('a user whom the user database does not know', () => {
  const as = (words: readonly string[], env: Readonly<Record<string, string>>) =>
    spawnSync(process.execPath, [nshProgram, ...words], {
      uid: strangerUid,
      gid: strangerUid,
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      cwd: '/',
    });

  test('can run programs, and finds a directory on the PATH that may not be searched passed over', () => {
    const home = mkdtempSync('/tmp/nsh-stranger-');
    chownSync(home, strangerUid, strangerUid);
    const locked = join(home, 'locked');
    mkdirSync(locked, { mode: 0o700 });
    try {
      const words = ['run', '-e', `PATH=${locked}:/usr/bin:/bin`, '--', 'sh', '-c', 'echo "$USER $HOME"'];
      const { status, stdout, stderr } = as(words, { HOME: home });
      expect([status, stdout, stderr]).toEqual([0, `${strangerUid} ${home}\n`, '']);
    } finally {
      as(['agent', 'stop', '--kill'], { HOME: home });
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    }
  });

  test('is told to set HOME where it is not', () => {
    for (const env of [{}, { HOME: '' }]) {
      const { status, stderr } = as(['ps', '-a'], env);
      expect([status, stderr]).toEqual([
        255,
        `nsh ps: HOME is not set, and the user database has no home of user ${strangerUid}: set HOME\n`,
      ]);
    }
  });

  test('is told of a state directory that may not be written to', () => {
    const home = mkdtempSync('/tmp/nsh-stranger-');
    chmodSync(home, 0o755);
    try {
      const { status, stderr } = as(['ps', '-a'], { HOME: home });
      expect(stderr).toMatch(
        /^nsh ps: [^\n]* cannot be used: Permission denied\. [^\n]*set XDG_STATE_HOME to a [^\n]*\n$/,
      );
      expect(status).toBe(255);
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});

test('a temporary directory that is not there is named by the demo with TMPDIR', async () => {
  const { status, stderr } = await nsh(['demo', '--', 'true'], { TMPDIR: join(directory, 'missing') });
  expect(stderr).toMatch(/^nsh demo: [^\n]*missing cannot be used: [^\n]*: set TMPDIR to a directory [^\n]*\n$/);
  expect(status).toBe(255);
});

test.each(['', 'relative'])(
  'HOME=%j without XDG_STATE_HOME counts as unset: the user database tells the home',
  async (home) => {
    // Nothing may be started in the real home: the file that the state directory would lie in is only named.
    const env = { ...machine.env, HOME: home, XDG_STATE_HOME: '', XDG_CONFIG_HOME: 'relative' };
    const program = `import { clusterDirectory } from '${join(import.meta.dirname, '../../src/cluster/paths.ts')}';
    console.log(clusterDirectory(process.env, 'c'));`;
    const tsx = ['--import', 'tsx', '--input-type=module', '-e', program];
    const { stdout, stderr } = spawnSync(process.execPath, tsx, {
      env,
      encoding: 'utf8',
      cwd: join(import.meta.dirname, '../..'),
    });
    expect([stdout, stderr]).toEqual([`${userInfo().homedir}/.local/state/nsh/c\n`, '']);
  },
);

test('a FIFO as cluster file is refused at once, and so is a pipe', async () => {
  const fifo = join(directory, 'fifo');
  rmSync(fifo, { force: true });
  execFileSync('mkfifo', [fifo]);
  const { status, stderr } = await nsh(['--cluster', fifo, 'nodes']);
  expect([status, stderr]).toEqual([
    2,
    `nsh nodes: ${fifo}, named by --cluster: is a pipe, not a regular file: the agent reads it again\n`,
  ]);
  const piped = spawnSync('bash', ['-c', `"${process.execPath}" "${nshProgram}" --cluster <(echo) nodes`], {
    env: { ...machine.env },
    encoding: 'utf8',
  });
  expect([piped.status, piped.stderr]).toEqual([2, expect.stringContaining('is a pipe, not a regular file')]);
});

test('/dev/stdin as cluster file stands for the file behind it, where that has a name', () => {
  const file = join(directory, 'cluster.yaml');
  writeFileSync(file, 'cluster: stdin\nnodes: [{id: 1, name: web1}]\n');
  const line = `"${process.execPath}" "${nshProgram}" --cluster /dev/stdin nodeset -f @all`;
  const from = (redirection: string) =>
    spawnSync('bash', ['-c', `${line} ${redirection}`], { env: { ...machine.env }, encoding: 'utf8' });
  expect(from(`<"${file}"`)).toMatchObject({ stdout: 'web1\n', stderr: '', status: 0 });
  const script = `exec 3<>"${directory}/gone"; rm "${directory}/gone"; ${line} <&3`;
  const gone = spawnSync('bash', ['-c', script], { env: { ...machine.env }, encoding: 'utf8' });
  expect([gone.status, gone.stderr]).toEqual([2, expect.stringContaining('leads to a file without a name')]);
});

test('a cluster file that names no nodes is an error that says so', async () => {
  const file = join(directory, 'empty.yaml');
  writeFileSync(file, 'cluster: empty\nnodes: []\n');
  for (const words of [
    ['run', '--', 'true'],
    ['run', '--all', '--', 'true'],
    ['ps', '-e'],
  ]) {
    const { status, stderr } = await nsh(['--cluster', file, ...words]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`${file}: the cluster file names no nodes; `)]);
  }
  const { stderr } = await nsh(['--cluster', file, 'kill', 'abc']);
  expect(stderr).toBe("nsh kill: 'abc' is not a process; write a PID such as 4711\n");
  await nsh(['--cluster', file, 'agent', 'stop']);
});

test.each([
  ['an argument', String.raw`run -- printf %s $'\xff\xfe'`, /^nsh: argument 5 \('.*'\) is not UTF-8 text, /],
  ['a variable', String.raw`run -e A=$'\xff' -- env`, /^nsh: argument 3 \('A=.*'\) is not UTF-8 text, /],
  ['a directory', String.raw`run -C $'/tmp/\xff' -- env`, /^nsh: argument 3 /],
  [
    'a variable of the environment',
    String.raw`run -e BAD -- env`,
    /^nsh run: the value of the variable BAD is not UTF-8/,
  ],
])('bytes of %s that are no UTF-8 are refused, and nothing runs', (_what, words, message) => {
  const line = `export BAD=$'\\xfe'; "${process.execPath}" "${nshProgram}" ${words}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', line], { env: { ...machine.env }, encoding: 'utf8' });
  expect(stderr).toMatch(message);
  expect([status, stdout]).toEqual([2, '']);
});

test('the character that stands for such bytes may be meant', async () => {
  expect((await nsh(['run', '--', 'printf', '%s', '\uFFFD'])).stdout).toBe('\uFFFD');
});

test.each([[[]], [['-t']]])(
  'a script whose interpreter is missing is told from one that is not there itself (run %j)',
  async (options) => {
    const script = join(directory, 'badi');
    writeFileSync(script, '#!/no/such -x\n', { mode: 0o755 });
    const { status, stderr } = await nsh(['run', ...options, '--', script]);
    expect([status, stderr]).toEqual([
      127,
      `nsh run: localhost: ${script}: bad interpreter: /no/such: No such file or directory\n`,
    ]);
    expect(existsSync('/no/such')).toBe(false);
  },
);

test('logs say on stderr that the beginning is no longer kept', async () => {
  const pid = String(await machine.start('--keep', '64K', '--', 'seq', '1', '200000'));
  await nsh(['wait', pid]);
  const { stdout, stderr } = await nsh(['logs', pid]);
  const bytes = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join('').length;
  expect(stderr).toBe(`[${bytes - stdout.length} bytes of stdout before this are no longer kept]\n`);
  expect((await nsh(['logs', '-n', '3', pid])).stderr).toBe('');
  expect((await nsh(['logs', '-n', '900000', pid])).stderr).toBe(stderr);
  const whole = String(await machine.start('--', 'echo', 'all'));
  await nsh(['wait', whole]);
  expect(await nsh(['logs', whole])).toMatchObject({ stdout: 'all\n', stderr: '' });
});

test('the number of clients is that of now, also where other processes are shown', async () => {
  const pid = String(await machine.start('-t', '--', 'sleep', '1000'));
  const clients = async (): Promise<string> => (await nsh(['ps', '-p', pid, '-o', 'clients='])).stdout.trim();
  expect(await clients()).toBe('0');
  const attached = machine.spawn('attach', pid);
  await expect.poll(clients).toBe('1');
  attached.kill('SIGKILL');
  await expect.poll(clients).toBe('0');
});
