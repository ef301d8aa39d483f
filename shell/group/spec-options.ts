/** The options that say what a group is to be, for `nsh group start` and `update`; the words are those of nsh-group(5). Pure. */
import { quoteText } from '../../src/ids/quote-text.ts';
import {
  parseGroupSpec,
  writeGroupSpec,
  type SpecKey,
  type WrittenSpec,
} from '../../src/policy/supervision/parse-spec.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { CommandContext, OptionSpec } from '../command.ts';
import type { ParsedOption } from '../getopt.ts';
import { parseVariable } from '../run/values.ts';

/** Option → the key of the specification whose text it is. */
const texts = {
  replicas: { short: 'n', long: 'replicas', argument: 'N', summary: 'how many of it run; default 1' },
  on: { long: 'on', argument: 'NODESET', summary: 'the nodes that may run it; default: @all' },
  restart: {
    long: 'restart',
    argument: 'TYPE',
    summary: 'permanent (default): restarted however it ends; transient: after a failure; temporary: never',
  },
  strategy: {
    long: 'strategy',
    argument: 'STRATEGY',
    summary: 'who is restarted with one: one_for_one (default), one_for_all, rest_for_one',
  },
  intensity: { long: 'intensity', argument: 'N', summary: 'more restarts within the period stop the group; default 3' },
  period: { long: 'period', argument: 'DURATION', summary: 'default 30s' },
  ready: {
    long: 'ready',
    argument: 'PROBE',
    summary: 'when one is ready: tcp:PORT, exec:COMMAND, log:REGEX, or none (default): once it runs',
  },
  'ready-timeout': {
    long: 'ready-timeout',
    argument: 'DURATION',
    summary: 'one that is not ready by then has failed; default 60s',
  },
  'stop-signal': { long: 'stop-signal', argument: 'SIGNAL', summary: 'what asks it to end; default TERM' },
  'stop-timeout': { long: 'stop-timeout', argument: 'DURATION', summary: 'from then to KILL; default 10s' },
  memory: { long: 'memory', argument: 'SIZE', summary: 'what each asks for and is limited to (512M, none)' },
  cwd: {
    short: 'C',
    long: 'directory',
    argument: 'DIR',
    summary: 'run it in this directory; none (default): in the home directory',
  },
} as const satisfies Partial<Record<keyof WrittenSpec, OptionSpec>>;

const env: OptionSpec = {
  short: 'e',
  long: 'env',
  argument: 'VAR[=VALUE]',
  summary: 'set a variable; VAR alone takes its value here',
};
const unset: OptionSpec = { short: 'u', long: 'unset', argument: 'VAR', summary: 'update: set it no more' };
const apart: OptionSpec = {
  long: 'apart',
  argument: 'GROUPS',
  summary: 'share no node with these groups (web,db; none); with itself: no two of its replicas on one node',
};
const spread: OptionSpec = { long: 'spread', summary: 'on as many nodes as there are (default)' };
const pack: OptionSpec = { long: 'pack', summary: 'on as few nodes as have room' };
const singleton: OptionSpec = { long: 'singleton', summary: 'never two at once, even across a partition' };
const noSingleton: OptionSpec = { long: 'no-singleton', summary: 'update: a group like others again' };

export const startOptions: readonly OptionSpec[] = [...Object.values(texts), spread, pack, apart, singleton, env];
/** What a group has may be taken away again, too. */
export const updateOptions: readonly OptionSpec[] = [...startOptions, noSingleton, unset];

/** What the options give; a key that is null, and a variable that is, is taken away. */
export type GivenSpec = { readonly [K in SpecKey]?: unknown };

/** Keys that `none` takes away, as the default leaves them out. */
const removable: ReadonlySet<string> = new Set(['ready', 'memory', 'cwd', 'apart']);
/** Every node, which is what a group without it may run on. */
const anywhere = '@all';

/** @throws NshError `usage` */
export function readSpecOptions(options: readonly ParsedOption[], environment: CommandContext['env']): GivenSpec {
  const last = (option: OptionSpec): string | undefined => options.findLast((each) => each.option === option)?.value;
  const has = (option: OptionSpec): boolean => options.some((each) => each.option === option);
  if (has(singleton) && has(noSingleton))
    throw new NshError('usage', '--singleton and --no-singleton exclude each other');
  if (has(spread) && has(pack)) throw new NshError('usage', '--spread and --pack exclude each other');
  const given = Object.entries(texts).flatMap(([key, option]) => {
    const text = last(option);
    if (text === '') throw new NshError('usage', `--${option.long}: nothing is given`);
    const isNone = key === 'on' ? text === anywhere : removable.has(key) && text === 'none';
    return text === undefined ? [] : [[key, isNone ? null : text] as const];
  });
  // In the order in which they are written: the last word on a variable counts.
  const variables = options.flatMap(({ option, value = '' }): (readonly [string, string | null])[] => {
    if (option === unset) return [[readName(value), null]];
    return option === env ? [parseVariable(value, environment)] : [];
  });
  const groups = last(apart);
  return {
    ...Object.fromEntries(given),
    ...(variables.length === 0 ? {} : { env: Object.fromEntries(variables) }),
    ...(groups === undefined ? {} : { apart: groups === 'none' ? null : groups.split(',') }),
    ...(has(pack) ? { spreading: 'pack' } : has(spread) ? { spreading: 'spread' } : {}),
    ...(has(singleton) ? { singleton: true } : has(noSingleton) ? { singleton: null } : {}),
  };
}

function readName(text: string): string {
  if (text !== '' && !text.includes('=')) return text;
  throw new NshError('usage', `--unset: ${quoteText(text)} is no name of a variable`);
}

/** @param command absent: as it was. @throws NshError `usage`, naming the key and what it may be. */
export function specWith(
  before: GroupSpec | undefined,
  name: string,
  given: GivenSpec,
  command?: readonly string[],
): GroupSpec {
  const old: WrittenSpec = before === undefined ? {} : writeGroupSpec(before);
  const merged = {
    ...old,
    ...given,
    name,
    ...(given.env === undefined ? {} : { env: withoutNulls({ ...before?.env, ...given.env }) }),
    ...(command === undefined ? {} : { command: [...command] }),
  };
  return parseGroupSpec(withoutNulls(merged));
}

function withoutNulls(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}
