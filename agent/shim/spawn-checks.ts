/** What can be told before anything is started, and what a failed start has said. */
import { accessSync, closeSync, constants, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { NshError } from '../../src/protocol/errors.ts';
import type { SpawnParams } from '../../src/protocol/shim-control.ts';
import { isExecutable } from './facilities.ts';
import type { Started } from './started.ts';
import { execError, findProgram } from './trampoline.ts';

/** @throws NshError `badDirectory`, `commandNotFound`, `commandNotExecutable`, `unsupported` */
export function checkStart({ argv, file, cwd, environment }: SpawnParams): void {
  checkDirectory(cwd);
  const command = argv[0] ?? '';
  checkFile(command, file);
  const found = findProgram(command, environment['PATH'], (path) => isProgram(resolve(cwd, path)));
  if (found !== undefined && isSameFile(resolve(cwd, found), file)) return;
  throw new NshError('unsupported', `${command}: the program ${file} can only be run under a name that leads to it`);
}

function checkDirectory(path: string): void {
  try {
    if (!statSync(path).isDirectory()) throw new NshError('badDirectory', `${path}: Not a directory`);
    accessSync(path, constants.X_OK);
  } catch (error) {
    if (error instanceof NshError) throw error;
    throw new NshError('badDirectory', `${path}: ${reason(error)}`, { cause: error });
  }
}

function checkFile(command: string, file: string): void {
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code === 'EACCES' ? 'commandNotExecutable' : 'commandNotFound';
    throw new NshError(code, `${command}: ${reason(error)}`, { cause: error });
  }
  if (!isFile) throw new NshError('commandNotExecutable', `${command}: Is a directory`);
  if (!isExecutable(file)) throw new NshError('commandNotExecutable', `${command}: Permission denied`);
}

function isProgram(path: string): boolean {
  return isExecutable(path) && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}

function isSameFile(a: string, b: string): boolean {
  const [first, second] = [statSync(a, { throwIfNoEntry: false }), statSync(b, { throwIfNoEntry: false })];
  return first !== undefined && second !== undefined && first.ino === second.ino && first.dev === second.dev;
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES') return 'Permission denied';
  return code === 'ENOENT' ? 'No such file or directory' : (error as Error).message;
}

/** The trampoline has ended without running the program: reads why, lets go of everything, and makes the error of it. */
export async function readFailure(started: Started, { argv }: SpawnParams, status: number): Promise<NshError> {
  await started.exit;
  const said = started.outputs.map(readAll).join('');
  started.input?.destroy();
  for (const fd of started.outputs) closeSync(fd);
  return execError(argv[0] ?? '', status, said);
}

const maxMessageBytes = 4096;

function readAll(fd: number): string {
  const buffer = Buffer.alloc(maxMessageBytes);
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, maxMessageBytes, null));
  } catch {
    // EAGAIN, or EIO from a terminal: it has said nothing.
    return '';
  }
}
