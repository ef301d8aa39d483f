/**
 * `nsh` on the PATH of what nsh runs, so that `… | xargs nsh kill` works wherever this installation lies and however it was started: a directory that holds
 * nothing but a small program of that name, which starts this very one.
 *
 *   ${XDG_CACHE_HOME:-~/.cache}/nsh/program/HASH/nsh      HASH: of the program's text, so that installations that share a home do not meet
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { xdgDirectory } from './file/file-paths.ts';
import type { Environment } from './paths.ts';
import { programPath } from './programs.ts';

/** Where a PATH has it. A session that takes its PATH along to another node means that node's own. */
export const ownProgramPattern = /(?:^|:)([^:]*\/nsh\/program\/[0-9a-f]{12})(?=:|$)/;

/**
 * The PATH of `env` with `nsh` on it: as it is where that finds this program already; before all others where it finds another `nsh`.
 * @returns the PATH as it is where the directory cannot be made.
 */
export function pathWithOwnProgram(env: Environment, path = env['PATH'] ?? ''): string {
  const program = programPath('nsh');
  const found = path.split(':').flatMap((directory) => findIn(directory))[0];
  if (found !== undefined && (found === realPath(program) || isText(found, ownProgramText(program)))) return path;
  const directory = ownDirectory(env, program);
  if (directory === undefined || path.split(':').includes(directory)) return path;
  if (path === '') return directory;
  return found === undefined ? `${path}:${directory}` : `${directory}:${path}`;
}

function findIn(directory: string): string[] {
  const file = join(directory === '' ? '.' : directory, 'nsh');
  try {
    accessSync(file, constants.X_OK);
    return [realPath(file) ?? file];
  } catch {
    // None there, or none that can be run.
    return [];
  }
}

/** A program that starts this installation, with the interpreter that runs it now. */
export function ownProgramText(program: string): string {
  const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  return `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(program)} "$@"\n`;
}

function isText(path: string, text: string): boolean {
  try {
    return statSync(path).size === Buffer.byteLength(text) && readFileSync(path, 'utf8') === text;
  } catch {
    return false; // It has just gone.
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Not there.
    return undefined;
  }
}

const made = new Map<string, string>();

function ownDirectory(env: Environment, program: string): string | undefined {
  // A node may have the agent alone.
  if (!existsSync(program)) return undefined;
  const text = ownProgramText(program);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const directory = join(xdgDirectory(env, 'XDG_CACHE_HOME', '.cache'), 'nsh/program', hash);
  const file = join(directory, 'nsh');
  if (directory.includes(':')) return undefined;
  if (made.get(file) === text && existsSync(file)) return directory;
  try {
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeProgram(directory, file, text);
  } catch {
    // A home that cannot be written to: `nsh` is found where the person has put it, or not at all.
    return undefined;
  }
  made.set(file, text);
  return directory;
}

/** Whole or not at all: others may be starting it. */
function writeProgram(directory: string, file: string, text: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, text, { mode: 0o700 });
  renameSync(draft, file);
}
