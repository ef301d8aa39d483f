/**
 * The `ssh` program as ControlMaster of one node: it logs in, keeps the connection, and lends it to short-lived `ssh -S` commands.
 * It lives in a private directory with its control socket, and goes when we go, however we end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { NshError } from '../../protocol/errors.ts';
import { withSignal } from '../wait.ts';
import { explainFailure } from './errors.ts';

const maxStderr = 8_000;

/**
 * `read` returns when our end of the pipe is closed, by us or by our death. The word `done` tells that ssh has ended before, so that
 * its number, which may be another's by now, is not signalled.
 */
const lifeline = `( read -r word <&3; [ "$word" = done ] || { kill $$; rm -rf "$NSH_SSH_DIRECTORY"; } ) >/dev/null 2>&1 &
exec 3<&-
exec "$@"`;

export interface Master {
  readonly controlPath: string;
  /** Resolves when it has ended, with what it said. */
  readonly ended: Promise<string>;
  stop(): void;
}

export interface MasterOptions {
  readonly label: string;
  readonly directory: string;
  /** Options of ssh(1) and the host. */
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Resolves when the login is done. @throws NshError; `MasterFailed` with the text where ssh itself gave up. */
export async function startMaster({ label, directory, words, env, signal }: MasterOptions): Promise<Master> {
  const controlPath = join(directory, 'control');
  const command = [
    'ssh',
    '-M',
    '-N',
    '-S',
    controlPath,
    '-o',
    'ControlPersist=no',
    '-o',
    'ClearAllForwardings=yes',
    ...words,
  ];
  const child = spawn('/bin/sh', ['-c', lifeline, 'nsh-ssh', ...command], {
    // Not stdin: Node closes that when the child has ended, before we could say so.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...env, NSH_SSH_DIRECTORY: directory },
    detached: true,
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-maxStderr);
  });
  const line = child.stdio[3] as Writable;
  line.on('error', () => undefined); // The reader is gone already.
  const ended = new Promise<string>((resolve) => {
    child.once('exit', () => line.end('done\n'));
    child.once('close', (code, name) => resolve(stderr.trim() || `it ended with ${name ?? `status ${code}`}`));
    child.once('error', (error) => resolve(error.message));
  });
  const master = { controlPath, ended, stop: () => stop(child) };
  const failed = ended.then((said) => {
    throw new MasterFailed(label, said);
  });
  try {
    await withSignal(Promise.race([appears(directory, controlPath, ended), failed]), signal, `${label}: the login`);
  } catch (error) {
    failed.catch(() => undefined);
    master.stop();
    throw error;
  }
  failed.catch(() => undefined); // From here on `ended` tells.
  return master;
}

export class MasterFailed extends NshError {
  readonly stderr: string;

  constructor(label: string, stderr: string) {
    const error = explainFailure(label, stderr, stderr);
    super(error.code, error.message);
    this.stderr = stderr;
  }
}

function stop(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}

/** ssh creates its control socket when it has logged in. */
async function appears(directory: string, path: string, ended: Promise<unknown>): Promise<void> {
  const watcher = watch(directory);
  try {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (existsSync(path)) resolve();
      };
      watcher.on('change', look).on('error', reject);
      void ended.then(() => resolve());
      look();
    });
  } finally {
    watcher.close();
  }
}
