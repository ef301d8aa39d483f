/** Sleeping processes of every odd kind, whose rows stand still while two tools look at them. Ended by PID. */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Samples {
  readonly pids: readonly number[];
  /** By what is odd about them. */
  readonly named: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

const sleep = '/bin/sleep';

export async function startSamples(): Promise<Samples> {
  const directory = mkdtempSync(join(tmpdir(), 'nsh-ps-'));
  const children: ChildProcess[] = [];
  const named: Record<string, number> = {};
  const start = (name: string, file: string, args: readonly string[], argv0 = file): number => {
    const child = spawn(file, args, { stdio: 'ignore', argv0, detached: true, cwd: '/' });
    if (child.pid === undefined) throw new Error(`cannot start ${file}`);
    children.push(child);
    named[name] = child.pid;
    return child.pid;
  };
  const copyAs = (name: string): string => {
    const path = join(directory, name);
    copyFileSync(sleep, path);
    return path;
  };

  start('plain', sleep, ['300.25']);
  start('utf8', sleep, ['300'], 'schläfer-文字-é');
  start('control', sleep, ['300'], 'evil\x1b[31m\x07\ttitle\nnext');
  start('empty', sleep, ['300'], '');
  start(
    'long',
    sleep,
    Array.from({ length: 60 }, (_, i) => `300.${'0'.repeat(i)}1`),
  );
  start('paren', copyAs('a) R 1 (b'), ['300'], 'paren');
  start('newline', copyAs('new\nline'), ['300'], 'newline');
  start('fifteen', copyAs('exactly-fifteen'), ['300']);
  start('longName', copyAs('a-name-of-more-than-fifteen'), ['300']);
  start('nice', 'nice', ['-n', '7', sleep, '301']);
  const stopped = start('stopped', sleep, ['302']);
  start('zombieParent', '/bin/sh', ['-c', `${sleep} 0.01 & exec ${sleep} 303`]);
  start('tree', '/bin/sh', ['-c', `/bin/sh -c "${sleep} 304 & ${sleep} 305 & wait" & ${sleep} 306 & wait`]);
  start('terminal', 'script', ['-qc', `exec ${sleep} 307`, '/dev/null']);
  if (process.getuid?.() === 0) {
    start('daemon', 'setpriv', ['--reuid=1', '--regid=1', '--groups=1,2', sleep, '308']);
    start('nameless', 'setpriv', ['--reuid=54321', '--regid=54321', '--clear-groups', sleep, '309']);
    const longName = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .find(([name = '']) => name.length > 8);
    if (longName?.[2] !== undefined) {
      start('longUser', 'setpriv', [`--reuid=${longName[2]}`, '--regid=0', '--clear-groups', sleep, '310']);
    }
  }
  const roots = children.map(({ pid }) => pid ?? 0);
  const expected = roots.length + 1 + 4 + 1;
  process.kill(stopped, 'SIGSTOP');
  let pids: number[] = [];
  await until(() => {
    pids = withDescendants(roots);
    return pids.length === expected && pids.every(isSettled);
  });
  return {
    pids,
    named,
    close: async () => {
      const gone = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const pid of withDescendants(roots).reverse()) kill(pid);
      await Promise.all(gone);
      await until(() => pids.every((pid) => !exists(pid)));
      rmSync(directory, { recursive: true });
    },
  };
}

export async function until(condition: () => boolean, what = 'the sample processes'): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function withDescendants(roots: readonly number[]): number[] {
  const pids: number[] = [];
  const pending = [...roots];
  for (let pid = pending.shift(); pid !== undefined; pid = pending.shift()) {
    pids.push(pid);
    pending.push(...childrenOf(pid));
  }
  return pids.sort((a, b) => a - b);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return []; // gone
  }
}

/** It has become what it is to be, and sleeps, is stopped, or is a zombie. */
function isSettled(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.charAt(stat.lastIndexOf(')') + 2);
    if (state === 'Z') return true;
    const exe = readlinkSync(`/proc/${pid}/exe`);
    const waits = readFileSync(`/proc/${pid}/wchan`, 'latin1');
    return (state === 'S' || state === 'T') && !exe.endsWith('/setpriv') && !exe.endsWith('/nice') && waits !== '0';
  } catch {
    return false;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
