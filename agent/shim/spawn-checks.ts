/** What can be told before anything is started, and what a failed start has said. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
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
export async function readFailure(
  started: Started,
  { argv, file, cwd }: SpawnParams,
  status: number,
): Promise<NshError> {
  await started.exit;
  const said = started.outputs.map(readAll).join('');
  started.input?.destroy();
  started.pipe?.destroy();
  started.channel?.close();
  for (const fd of started.outputs) closeSync(fd);
  const command = argv[0] ?? '';
  // The file itself was there a moment ago: it is what should run it that is missing.
  return (
    (status === 127 ? interpreterError(command, resolve(cwd, file)) : undefined) ?? execError(command, status, said)
  );
}

/** execve(2): ENOENT where the interpreter of a script, or the loader of a program, is not there. */
function interpreterError(command: string, file: string): NshError | undefined {
  const head = readHead(file);
  if (head === undefined) return undefined;
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(head)?.[1];
  const what = interpreter === undefined ? 'cannot execute' : `bad interpreter: ${interpreter}`;
  const why = interpreter === undefined ? 'the loader that it names is not there' : 'No such file or directory';
  return new NshError('commandNotFound', `${command}: ${what}: ${why}`);
}

/** The kernel looks no further for `#!` (BINPRM_BUF_SIZE). */
const maxHeadBytes = 256;

function readHead(file: string): string | undefined {
  try {
    const fd = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(maxHeadBytes);
      return buffer.toString('utf8', 0, readSync(fd, buffer, 0, maxHeadBytes, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    // It may be run but not read, or has gone: what the shell said of it has to do.
    return undefined;
  }
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
