/** Runs a program of the system and waits for its end, within a time. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

export interface ToolResult {
  /** null where it was killed since it took too long. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

const deadlineMs = 10_000;
const maxBytes = 4 << 20;

/** Absolute path; where PATH lacks the directories of system programs they are searched, too. Undefined where there is none. */
export function findTool(name: string, env: ToolOptions['env']): string | undefined {
  const directories = [...(env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return directories
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for this user.
  }
}

/** Its messages are in English. One that does not end within 10 s is killed. */
export async function runTool(
  path: string,
  args: readonly string[],
  { env, input = '' }: ToolOptions,
): Promise<ToolResult> {
  return await new Promise((resolve) => {
    const child = spawn(path, args, { cwd: '/', env: { ...env, LC_ALL: 'C' }, stdio: 'pipe' });
    const texts = { stdout: '', stderr: '' };
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        if (texts[name].length < maxBytes) texts[name] += chunk;
      });
    }
    const finish = (status: number | null, why = ''): void => {
      clearTimeout(timer);
      resolve({ status, stdout: texts.stdout, stderr: texts.stderr + why });
    };
    child.on('error', (error) => finish(null, error.message));
    child.on('close', (code) => finish(code, code === null ? `${path} did not end within ${deadlineMs / 1000} s` : ''));
    // A program that does not read its input has ended: its status tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The last line of what it said, for a message; control characters as ?. */
export function lastWords({ status, stderr, stdout }: ToolResult): string {
  const lines = (stderr.trim() === '' ? stdout : stderr).trim().split('\n');
  const plain = (lines.at(-1) ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
  return plain === '' ? `it ended with status ${status ?? 'unknown'}` : plain;
}
