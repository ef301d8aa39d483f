/** The options of `nsh run`, and what they ask for. Pure, but for the environment handed in. */
import { NshError } from '../../src/protocol/errors.ts';
import { maxNameLength, maxPathLength } from '../../src/protocol/limits.ts';
import type { OnDisconnect } from '../../src/protocol/process.ts';
import type { OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { defaultDetachKeys, parseDetachKeys, type DetachKey } from '../terminal/detach-keys.ts';
import { checkLength, parseDuration, parseSize, parseVariable } from './values.ts';

const on: OptionSpec = {
  short: 'n',
  long: 'on',
  argument: 'NODESET',
  summary: 'run there; default: on the least loaded node',
};
const all: OptionSpec = { long: 'all', summary: 'run on every node' };
const terminal: OptionSpec = {
  short: 't',
  long: 'terminal',
  summary: 'give it a terminal, also where stdin or stdout is none',
};
const noTerminal: OptionSpec = {
  short: 'T',
  long: 'no-terminal',
  summary: 'give it pipes: stdin, stdout and stderr apart',
};
const detach: OptionSpec = { short: 'd', long: 'detach', summary: 'leave it running and print its cluster PID' };
const fold: OptionSpec = { short: 'b', long: 'fold', summary: 'gather the output and show what is identical once' };
const directory: OptionSpec = { short: 'C', long: 'directory', argument: 'DIR', summary: 'run it in this directory' };
const env: OptionSpec = {
  short: 'e',
  long: 'env',
  argument: 'VAR[=VALUE]',
  summary: 'set a variable; VAR alone takes its value here',
};
const name: OptionSpec = { long: 'name', argument: 'NAME', summary: 'call it so in listings' };
const keep: OptionSpec = { long: 'keep', argument: 'SIZE', summary: 'keep so much of its output (64K, 8M, none)' };
const onDisconnect: OptionSpec = {
  long: 'on-disconnect',
  argument: 'ACTION',
  summary: 'when nsh has gone: keep, hup or kill it (default keep with a terminal, hup with pipes)',
};
const timeout: OptionSpec = { long: 'timeout', argument: 'DURATION', summary: 'end it after so long (30s, 5m, 1h)' };
const noStdin: OptionSpec = { long: 'no-stdin', summary: 'let it read nothing (as </dev/null)' };
const detachKeys: OptionSpec = {
  long: 'detach-keys',
  argument: 'KEYS',
  summary: `keys that detach from its terminal (default '${defaultDetachKeys}'; none)`,
};

export const runOptions: readonly OptionSpec[] = [
  on,
  all,
  terminal,
  noTerminal,
  detach,
  fold,
  directory,
  env,
  name,
  keep,
  onDisconnect,
  timeout,
  noStdin,
  detachKeys,
];

export interface RunOptions {
  readonly argv: readonly string[];
  readonly nodeset: string | undefined;
  readonly everyNode: boolean;
  /** Undefined: it depends on stdin, stdout and the number of nodes. */
  readonly wantsTerminal: boolean | undefined;
  readonly detached: boolean;
  readonly folded: boolean;
  readonly directory: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  readonly keepBytes: number | undefined;
  readonly onDisconnect: OnDisconnect | undefined;
  readonly timeoutMs: number | undefined;
  readonly noStdin: boolean;
  readonly detachKeys: readonly DetachKey[];
}

/** @throws NshError `usage` */
export function parseRunOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): RunOptions {
  const { options, operands } = parseOptions(runOptions, args, 'posix');
  const given = (option: OptionSpec): boolean => options.some((parsed) => parsed.option === option);
  const values = (option: OptionSpec): string[] =>
    options.filter((parsed) => parsed.option === option).map((parsed) => parsed.value ?? '');
  const value = (option: OptionSpec): string | undefined => values(option).at(-1);
  if (operands.length === 0) throw usage('no command is given');
  if (given(on) && given(all)) throw usage('--on and --all exclude each other');
  if (given(detach) && given(fold)) throw usage('-d prints cluster PIDs: there is no output to fold with -b');
  const terminalOption = options.findLast((parsed) => parsed.option === terminal || parsed.option === noTerminal);
  const [keepText, timeoutText] = [value(keep), value(timeout)];
  return {
    argv: operands,
    nodeset: given(on) ? values(on).join(',') : undefined,
    everyNode: given(all),
    wantsTerminal: terminalOption === undefined ? undefined : terminalOption.option === terminal,
    detached: given(detach),
    folded: given(fold),
    directory: checkLength(value(directory), '--directory', maxPathLength),
    env: Object.fromEntries(values(env).map((text) => parseVariable(text, environment))),
    name: checkLength(value(name), '--name', maxNameLength),
    keepBytes: keepText === undefined ? undefined : parseSize(keepText, '--keep'),
    onDisconnect: parseOnDisconnect(value(onDisconnect)),
    timeoutMs: timeoutText === undefined ? undefined : parseDuration(timeoutText, '--timeout'),
    noStdin: given(noStdin),
    detachKeys: parseDetachKeys(value(detachKeys) ?? defaultDetachKeys),
  };
}

function parseOnDisconnect(text: string | undefined): OnDisconnect | undefined {
  if (text === undefined || text === 'keep' || text === 'hup' || text === 'kill') return text;
  throw usage(`invalid action '${text}' for --on-disconnect; it is keep, hup or kill`);
}

function usage(why: string): NshError {
  return new NshError('usage', why);
}
