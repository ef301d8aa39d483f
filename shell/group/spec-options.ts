/** The options that say what a group is to be, for `nsh group start` and `update`; the words are those of nsh-group(5). Pure. */
import { parseGroupSpec, writeGroupSpec, type WrittenSpec } from '../../src/policy/supervision/parse-spec.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { CommandContext, OptionSpec } from '../command.ts';
import type { ParsedOption } from '../getopt.ts';
import { parseVariable } from '../run/values.ts';

/** Option → the key of the specification whose text it is. */
const texts = {
  replicas: { short: 'n', long: 'replicas', argument: 'N', summary: 'how many of it run; default 1' },
  on: { long: 'on', argument: 'NODESET', summary: 'the nodes that may run it; default: all' },
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
    summary: 'run it in this directory; default: the home directory',
  },
} as const satisfies Partial<Record<keyof WrittenSpec, OptionSpec>>;

const env: OptionSpec = {
  short: 'e',
  long: 'env',
  argument: 'VAR[=VALUE]',
  summary: 'set a variable; VAR alone takes its value here',
};
const apart: OptionSpec = {
  long: 'apart',
  argument: 'GROUPS',
  summary: 'share no node with these groups (web,db); with itself: no two of its replicas on one node',
};
const spread: OptionSpec = { long: 'spread', summary: 'on as many nodes as there are (default)' };
const pack: OptionSpec = { long: 'pack', summary: 'on as few nodes as have room' };
const singleton: OptionSpec = { long: 'singleton', summary: 'never two at once, even across a partition' };

export const specOptions: readonly OptionSpec[] = [...Object.values(texts), spread, pack, apart, singleton, env];

/** @returns the keys that the options give. @throws NshError `usage` */
export function readSpecOptions(options: readonly ParsedOption[], environment: CommandContext['env']): WrittenSpec {
  const last = (option: OptionSpec): string | undefined => options.findLast((each) => each.option === option)?.value;
  const has = (option: OptionSpec): boolean => options.some((each) => each.option === option);
  if (has(spread) && has(pack)) throw new NshError('usage', '--spread and --pack exclude each other');
  const given = Object.entries(texts).flatMap(([key, option]) => {
    const text = last(option);
    return text === undefined ? [] : [[key, text] as const];
  });
  const variables = options.filter(({ option }) => option === env).map(({ value }) => value ?? '');
  const groups = last(apart);
  return {
    ...Object.fromEntries(given),
    ...(variables.length === 0
      ? {}
      : { env: Object.fromEntries(variables.map((text) => parseVariable(text, environment))) }),
    ...(groups === undefined ? {} : { apart: groups.split(',').filter((name) => name !== '') }),
    ...(has(pack) ? { spreading: 'pack' } : has(spread) ? { spreading: 'spread' } : {}),
    ...(has(singleton) ? { singleton: true } : {}),
  };
}

/** @param command absent: as it was. @throws NshError `usage`, naming the key and what it may be. */
export function specWith(
  before: GroupSpec | undefined,
  name: string,
  given: WrittenSpec,
  command?: readonly string[],
): GroupSpec {
  const old: WrittenSpec = before === undefined ? {} : writeGroupSpec(before);
  const { ready, ...rest } = given;
  const merged: Record<string, unknown> = { ...old, ...rest, name };
  if (given.env !== undefined) merged['env'] = { ...before?.env, ...given.env };
  if (ready === 'none') delete merged['ready'];
  else if (ready !== undefined) merged['ready'] = ready;
  if (command !== undefined) merged['command'] = [...command];
  return parseGroupSpec(merged);
}
