/** What the machine offers for starting processes: its shells, and an env(1) that knows -S. Looked up once. */
import { execFile } from 'node:child_process';
import { accessSync, constants, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Shell } from './trampoline.ts';

export interface Facilities {
  /** The fastest shell. */
  readonly shell: Shell;
  /** Can close any descriptor; undefined where there is none. */
  readonly bash: Shell | undefined;
  readonly envPath: string | undefined;
}

export async function findFacilities(): Promise<Facilities> {
  const dash = firstProgram(['/bin/dash', '/usr/bin/dash']);
  const bashPath = firstProgram(['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash']);
  const bash: Shell | undefined = bashPath === undefined ? undefined : { kind: 'bash', path: bashPath };
  const shell: Shell = dash !== undefined ? { kind: 'dash', path: dash } : (bash ?? otherShell());
  return { shell, bash, envPath: await findEnv() };
}

function otherShell(): Shell {
  const isDash = basename(realpathSync('/bin/sh')) === 'dash';
  return { kind: isDash ? 'dash' : 'other', path: '/bin/sh' };
}

/** Undefined where env does not know -S (BusyBox, coreutils before 8.30). */
async function findEnv(): Promise<string | undefined> {
  const path = firstProgram(['/usr/bin/env', '/bin/env']);
  if (path === undefined) return undefined;
  return await new Promise((resolve) => {
    const options = { env: { NSH_E0: 'a b' }, timeout: 5_000 };
    execFile(path, ['-i', '-S', `'X.Y='\${NSH_E0}`, path], options, (error, stdout) => {
      resolve(error === null && stdout === 'X.Y=a b\n' ? path : undefined);
    });
  });
}

function firstProgram(paths: readonly string[]): string | undefined {
  return paths.find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: the answer either way.
    return false;
  }
}
