/** From the options of `nsh run` to the request that nodes get. Pure. */
import { resolve } from 'node:path';
import type { Params } from '../../src/protocol/control.ts';
import { defaultKeepBytes, foregroundPipeKeepBytes } from '../../src/protocol/limits.ts';
import type { Starter } from '../../src/protocol/process.ts';
import type { RunOptions } from './options.ts';

export interface RunSurroundings {
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** Columns and rows of the terminal on stdout. */
  readonly size: { readonly cols: number; readonly rows: number } | undefined;
  readonly term: string | undefined;
  readonly cwd: string;
  /** No cluster file: paths mean the same there as here. */
  readonly isThisMachineAlone: boolean;
  readonly nodeCount: number;
}

/** A terminal where somebody sits at one and looks at this process alone; else pipes. */
export function usesTerminal(options: RunOptions, here: RunSurroundings): boolean {
  if (options.wantsTerminal !== undefined) return options.wantsTerminal;
  return here.stdinIsTerminal && here.stdoutIsTerminal && !options.detached && !options.folded && here.nodeCount === 1;
}

/** Whether nsh's stdin goes to the process: of many, only what is piped in, as with clush. */
export function passesStdin(options: RunOptions, here: RunSurroundings): boolean {
  return !options.detached && !options.noStdin && (here.nodeCount === 1 || !here.stdinIsTerminal);
}

/** @param foreground the client id that opens the stream; undefined for `-d`. */
export function makeRunParams(
  options: RunOptions,
  here: RunSurroundings,
  starter: Starter,
  foreground: string | undefined,
): Params<'run'> {
  const isPty = usesTerminal(options, here);
  const cwd = workingDirectory(options, here);
  const lasting = isPty || options.detached;
  return {
    argv: [...options.argv],
    io: isPty ? 'pty' : 'pipes',
    keepBytes: options.keepBytes ?? (lasting ? defaultKeepBytes : foregroundPipeKeepBytes),
    onDisconnect: options.onDisconnect ?? (lasting ? 'keep' : 'hup'),
    starter,
    env: { ...options.env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(isPty
      ? { pty: terminalOf(here) }
      : { stdin: passesStdin(options, here) ? ('stream' as const) : ('null' as const) }),
    ...(foreground === undefined ? {} : { foreground }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
}

/** With several hosts the home directory of the user there, as with ssh: what lies here need not lie there. */
function workingDirectory(options: RunOptions, here: RunSurroundings): string | undefined {
  if (here.isThisMachineAlone) return resolve(here.cwd, options.directory ?? '.');
  return options.directory;
}

function terminalOf(here: RunSurroundings): { cols: number; rows: number; term?: string } {
  const { cols, rows } = here.size ?? { cols: 80, rows: 24 };
  return { cols, rows, ...(here.term === undefined || here.term === '' ? {} : { term: here.term }) };
}
