/** Finds the program of an argv as execvp(3) does, so that 127 and 126 are told before anything is started. */
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { NshError } from '../../src/protocol/errors.ts';

/**
 * @param path PATH of the process-to-be.
 * @param cwd against which a relative name is taken.
 * @throws NshError `commandNotFound` (127) or `commandNotExecutable` (126)
 */
export function findCommand(name: string, path: string, cwd: string): string {
  if (name.includes('/')) return checkCommand(name, isAbsolute(name) ? name : resolve(cwd, name));
  let refused: NshError | undefined;
  for (const directory of path.split(':')) {
    const file = resolve(cwd, join(directory === '' ? '.' : directory, name));
    try {
      if (name !== '') return checkCommand(name, file);
    } catch (error) {
      // A directory on the PATH is passed over, as shells do.
      if (error instanceof NshError && error.code === 'commandNotExecutable' && !isDirectory(file)) refused ??= error;
    }
  }
  throw refused ?? new NshError('commandNotFound', `${name === '' ? "''" : name}: command not found`);
}

function checkCommand(name: string, file: string): string {
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES') throw new NshError('commandNotExecutable', `${name}: Permission denied`, { cause: error });
    throw new NshError('commandNotFound', `${name}: No such file or directory`, { cause: error });
  }
  if (!isFile) throw new NshError('commandNotExecutable', `${name}: Is a directory`);
  try {
    accessSync(file, constants.X_OK);
  } catch (error) {
    throw new NshError('commandNotExecutable', `${name}: Permission denied`, { cause: error });
  }
  return file;
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // What lies in a directory that may not be searched is not known: to execvp(3) it is a file that may not run.
    return false;
  }
}

/** @throws NshError `badDirectory` */
export function checkDirectory(path: string): void {
  try {
    if (!statSync(path).isDirectory()) throw new NshError('badDirectory', `${path}: Not a directory`);
    accessSync(path, constants.X_OK);
  } catch (error) {
    if (error instanceof NshError) throw error;
    const denied = (error as NodeJS.ErrnoException).code === 'EACCES';
    throw new NshError('badDirectory', `${path}: ${denied ? 'Permission denied' : 'No such file or directory'}`, {
      cause: error,
    });
  }
}
