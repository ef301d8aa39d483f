/**
 * Where a bash that calls nsh back began: its environment and directory before the session's own were restored in it. Against these, and not
 * against what this process has inherited, a call finds what the session has changed, so that exported variables and the directory go along.
 *
 * The caller is this process's parent, a bash or a fork of it: /proc/PID/environ is what it was started with.
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';

export interface Beginning {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** @param pid of the caller; default: this process's parent. */
export function beginningOfCaller(pid = process.ppid): Beginning {
  const env = readEnvironment(pid);
  const directory = env?.['PWD'] ?? '';
  if (env === undefined || !isDirectory(directory)) return { env: env ?? process.env, cwd: process.cwd() };
  return { env, cwd: directory };
}

/** What PWD must be for a bash that starts in `cwd`: the name that it has there, if it is one of that directory. */
export function nameOfDirectory(env: Beginning['env'], cwd: string): string {
  const given = env['PWD'] ?? '';
  const now = isAbsolute(given) ? statSync(given, { throwIfNoEntry: false }) : undefined;
  const wanted = statSync(cwd, { throwIfNoEntry: false });
  return now !== undefined && now.ino === wanted?.ino && now.dev === wanted.dev ? given : cwd;
}

function readEnvironment(pid: number): Record<string, string> | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').slice(0, -1);
    return Object.fromEntries(entries.map((entry) => [entry.replace(/=.*/s, ''), entry.replace(/^[^=]*=/, '')]));
  } catch {
    return undefined; // It has ended, or may not be looked at.
  }
}

function isDirectory(path: string): boolean {
  return isAbsolute(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
