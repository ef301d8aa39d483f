/** Paths: of the cluster file, and those that it names. */
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { NshError } from '../../protocol/errors.ts';
import { quoteText } from '../../ids/quote-text.ts';
import type { TextField } from './fields.ts';
import type { Problems } from './problems.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** $HOME; what is empty or relative does not count, and the user database tells then. @throws NshError `agentFailed` */
export function homeDirectory(env: Environment): string {
  const home = env['HOME'];
  if (home !== undefined && isAbsolute(home)) return home;
  try {
    return userInfo().homedir;
  } catch (error) {
    const uid = process.getuid?.() ?? 0;
    throw new NshError('agentFailed', `HOME is not set, and the user database has no home of user ${uid}: set HOME`, {
      cause: error,
    });
  }
}

/** An XDG base directory; what is not absolute does not count (XDG Base Directory Specification). */
export function xdgDirectory(env: Environment, variable: string, fallback: string): string {
  const given = env[variable];
  return given !== undefined && isAbsolute(given) ? given : join(homeDirectory(env), fallback);
}

export interface FindOptions {
  /** Argument of `--cluster`. */
  readonly flag?: string | undefined;
  readonly env: Environment;
  /** What relative paths begin at; default: the working directory. */
  readonly cwd?: string;
}

export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** What named it, for messages; absent for the default place, where it may be missing. */
  readonly namedBy?: string;
}

/** Where the cluster file should be; whether it is there shows when it is read. @throws NshError `clusterFile` */
export function findClusterFile({ flag, env, cwd }: FindOptions): FoundFile {
  const base = cwd ?? process.cwd();
  if (flag !== undefined) {
    if (flag === '') throw new NshError('clusterFile', '--cluster needs the path of a cluster file');
    return { path: resolve(base, flag), namedBy: '--cluster' };
  }
  const variable = env['NSH_CLUSTER'];
  if (variable !== undefined && variable !== '') return { path: resolve(base, variable), namedBy: 'NSH_CLUSTER' };
  return { path: join(xdgDirectory(env, 'XDG_CONFIG_HOME', '.config'), 'nsh/cluster.yaml') };
}

export interface PathContext {
  /** Of the cluster file. */
  readonly path: string;
  readonly env: Environment;
}

/** A path in the file: `~` is the home directory, and what is relative begins at the file's directory. */
export function resolvePath(
  field: TextField | undefined,
  key: string,
  { path, env }: PathContext,
  problems: Problems,
): string | undefined {
  if (field === undefined) return undefined;
  const { text } = field;
  if (text === '~' || text.startsWith('~/')) return join(homeDirectory(env), text.slice(1));
  if (text.startsWith('~')) {
    problems.add(field.at, `${key}: only your own home directory can be written as '~/', not ${quoteText(text)}`);
    return undefined;
  }
  return resolve(dirname(path), text);
}
