/** The shim's command line. */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { NshError } from '../../src/protocol/errors.ts';

export interface ShimOptions {
  /** Last part of `--dir`. */
  readonly id: string;
  /** For shim.json. */
  readonly directory: string;
  readonly socket: string;
  /** Where records of processes are kept. */
  readonly processes: string;
  /** Ended processes to keep. */
  readonly keepEnded: number;
  readonly keepAgeSeconds: number;
  /** Idle time after which it goes, ms. Default 60 s. */
  readonly idleMs: number;
  /** Soft limit of open files for processes: Node has raised its own to the hard limit. Default: leave it so. */
  readonly openFiles: number | undefined;
  /** How long a foreground client that has not come, or was lost, is waited for, ms. Default 10 s. */
  readonly graceMs: number;
}

const usage =
  'nsh-shim --dir DIR --socket PATH --processes DIR --keep-ended N --keep-age SECONDS [--idle SECONDS] [--grace MS] [--open-files N]';

/** @throws NshError `usage` */
export function parseOptions(args: readonly string[]): ShimOptions {
  const text = { type: 'string' } as const;
  const options = {
    dir: text,
    socket: text,
    processes: text,
    'keep-ended': text,
    'keep-age': text,
    idle: text,
    grace: text,
    'open-files': text,
  } as const;
  let values: Partial<Record<keyof typeof options, string>>;
  try {
    values = parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new NshError('usage', `${(error as Error).message}\nusage: ${usage}`, { cause: error });
  }
  const required = (name: 'dir' | 'socket' | 'processes'): string => {
    const value = values[name];
    if (value === undefined) throw new NshError('usage', `--${name} is missing\nusage: ${usage}`);
    return value;
  };
  const directory = required('dir');
  return {
    id: basename(directory),
    directory,
    socket: required('socket'),
    processes: required('processes'),
    keepEnded: count('--keep-ended', values['keep-ended'] ?? '1000'),
    keepAgeSeconds: count('--keep-age', values['keep-age'] ?? '604800'),
    idleMs: count('--idle', values.idle ?? '60') * 1000,
    openFiles: values['open-files'] === undefined ? undefined : count('--open-files', values['open-files']),
    graceMs: count('--grace', values.grace ?? '10000'),
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new NshError('usage', `${name}: ${text} is no number`);
  return value;
}
