/** Runs a script through bash and through nsh in fresh directories, and tells everything that a person or a program could see. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants } from 'node:os';
import { isUnfinished } from '../../shell/language/script-tree.ts';
import { localRunner } from '../../shell/session/local-runner.ts';
import { Session } from '../../shell/session/session.ts';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Path → content, of everything in the directory. */
  readonly files: Readonly<Record<string, string>>;
}

/** What every script finds on its standard input. */
const input = 'one 1\ntwo 2\nthree 3\n';

const env: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  LANG: 'C.UTF-8',
  SHLVL: '1',
};

interface Place {
  readonly directory: string;
  readonly descriptors: readonly [number, number, number];
}

let counter = 0;

/** @param root a directory of the test's own */
async function inFreshDirectory(root: string, run: (place: Place) => Promise<number>): Promise<Outcome> {
  const base = join(root, String(counter++));
  // Both see the same name of their directory.
  const directory = join(base, 'work');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(base, 'in'), input);
  const descriptors = [
    openSync(join(base, 'in'), 'r'),
    openSync(join(base, 'out'), 'w'),
    openSync(join(base, 'err'), 'w'),
  ] as const;
  try {
    const status = await run({ directory, descriptors });
    const clean = (text: string): string => text.replaceAll(base, 'BASE');
    return {
      status,
      stdout: clean(readFileSync(join(base, 'out'), 'latin1')),
      stderr: clean(readFileSync(join(base, 'err'), 'latin1')),
      files: readTree(directory),
    };
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    rmSync(base, { recursive: true, force: true });
  }
}

function readTree(directory: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(directory.length + 1)] = entry.isFile() ? readFileSync(path, 'latin1') : '(no file)';
  }
  return files;
}

/** `bash -c SCRIPT` */
export async function runInBash(root: string, text: string): Promise<Outcome> {
  return await inFreshDirectory(
    root,
    async ({ directory, descriptors }) => await runProgram('bash', ['-c', toUtf8(text)], directory, descriptors),
  );
}

/** The nsh program itself: `nsh -c SCRIPT`. */
export async function runInProgram(root: string, program: readonly string[], text: string): Promise<Outcome> {
  const [command = '', ...args] = program;
  return await inFreshDirectory(
    root,
    async ({ directory, descriptors }) =>
      await runProgram(command, [...args, '-c', toUtf8(text)], directory, descriptors),
  );
}

function toUtf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

async function runProgram(
  command: string,
  args: readonly string[],
  cwd: string,
  descriptors: readonly number[],
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: [...descriptors] });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(signal === null ? (code ?? -1) : 128 + constants.signals[signal]);
    });
  });
}

/** One session that gets the whole script at once. */
export async function runWhole(root: string, text: string): Promise<Outcome> {
  return await runSession(
    root,
    async (session) => {
      await session.run(text, true);
    },
    'bash',
  );
}

/** One session that gets each complete command as a line of its own. */
export async function runLineByLine(root: string, text: string): Promise<Outcome> {
  return await runSession(
    root,
    async (session) => {
      for (const line of commandsOf(text)) if ((await session.run(line)).isOver) return;
    },
    'nsh',
  );
}

async function runSession(
  root: string,
  run: (session: Session) => Promise<void>,
  jobsAre: 'nsh' | 'bash',
): Promise<Outcome> {
  return await inFreshDirectory(root, async ({ directory, descriptors: [stdin, stdout, stderr] }) => {
    const session = new Session({
      runner: localRunner({ env, cwd: directory }),
      streams: { stdin, stdout, stderr },
      tell: (message) => {
        writeFileSync(stderr, `nsh: ${message}\n`);
      },
      jobsAre,
    });
    await run(session);
    return await session.close();
  });
}

function commandsOf(text: string): string[] {
  const commands: string[] = [];
  let open = '';
  for (const line of text.split(/(?<=\n)/)) {
    open += line;
    if (isUnfinished(open)) continue;
    commands.push(open);
    open = '';
  }
  return open === '' ? commands : [...commands, open];
}
