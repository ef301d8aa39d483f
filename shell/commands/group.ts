/** `nsh group`: groups of like processes that the agents keep running. */
import { askWhether, findNear } from '../../src/ids/near.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { jsonOption } from '../coordination/options.ts';
import { parseOptions, type ParsedOption } from '../getopt.ts';
import { readWait, waitOption } from '../group/await-groups.ts';
import { changeGroups, type GroupsChange } from '../group/change.ts';
import { decideAgain, decideNew, decideRemove, decideRestart, decideStop, decideUpdate } from '../group/decide.ts';
import { readSpecOptions, specWith, startOptions, updateOptions } from '../group/spec-options.ts';
import { listGroups, showGroup, tellEvents } from '../group/tell.ts';

const followOption: OptionSpec = { short: 'f', long: 'follow', summary: 'events: go on with those that come' };
const options: readonly OptionSpec[] = [...updateOptions, waitOption, followOption, jsonOption];

export const groupCommand: Command = {
  name: 'group',
  synopsis: [
    'start [OPTION…] NAME -- COMMAND [ARGUMENT…]',
    'start [--wait] NAME',
    'ls [--json] [NAME…]',
    'show [--json] NAME',
    'events [-f] [--json] NAME',
    'update [OPTION…] NAME [-- COMMAND [ARGUMENT…]]',
    'restart|stop|rm [--wait] NAME…',
  ],
  summary: 'keep groups of like processes running in the cluster',
  options,
  details: [
    'start makes a group, or starts one again that was stopped or has failed. update changes what is given, and replaces its processes one at a time where ' +
      'they are concerned; restart does that to all of them. rm stops a group and forgets it.',
    "What is written is kept by the agents, with no nsh running; 'nsh scale' changes the number, and 'man nsh-group' has the rules.",
    'Status 1: there is no such group, or one already, or it cannot be placed, or with --wait it has failed.',
  ],
  optionsFor: ([word = '']) => (Object.hasOwn(verbs, word) ? (verbs[word]?.takes ?? options) : options),
  run: async (context, args) => {
    const end = args.indexOf('--');
    const parsed = parseOptions(options, end === -1 ? args : args.slice(0, end));
    const [word, ...names] = parsed.operands;
    const verb = word === undefined || !Object.hasOwn(verbs, word) ? undefined : verbs[word];
    if (word === undefined || verb === undefined) {
      const what = word === undefined ? 'it is not said what to do' : `${quoteText(word)} cannot be done`;
      const near = word === undefined ? '' : askWhether(meant.get(word) ?? findNear(word, Object.keys(verbs)));
      throw new NshError('usage', near === '' ? `${what}: ${Object.keys(verbs).join(', ')}` : `${what}${near}`);
    }
    const command = end === -1 ? undefined : args.slice(end + 1);
    check(word, verb, { names, command, given: parsed.options });
    return await verb.run({ context, names, command, given: parsed.options });
  },
};

interface Given {
  readonly names: readonly string[];
  /** Behind `--`. */
  readonly command: readonly string[] | undefined;
  readonly given: readonly ParsedOption[];
}

interface Call extends Given {
  readonly context: CommandContext;
}

interface Verb {
  readonly names: readonly [least: number, most: number];
  readonly takes: readonly OptionSpec[];
  readonly takesCommand?: true;
  run(call: Call): Promise<number>;
}

/** Words of other programs, and commands that stand beside this one. */
const meant = new Map<string, readonly string[]>(
  Object.entries({
    scale: ['nsh scale'],
    logs: ['nsh logs'],
    kill: ['nsh kill'],
    drain: ['nsh node drain'],
    list: ['ls'],
    status: ['show'],
    create: ['start'],
    run: ['start'],
    remove: ['rm'],
    delete: ['rm'],
  }),
);

const many = Number.POSITIVE_INFINITY;

const verbs: Readonly<Record<string, Verb>> = {
  start: { names: [1, 1], takes: [...startOptions, waitOption], takesCommand: true, run: start },
  ls: {
    names: [0, many],
    takes: [jsonOption],
    run: async ({ context, names, given }) => await listGroups(context, names, has(given, jsonOption)),
  },
  show: {
    names: [1, 1],
    takes: [jsonOption],
    run: async ({ context, names: [name = ''], given }) => await showGroup(context, name, has(given, jsonOption)),
  },
  events: {
    names: [1, 1],
    takes: [followOption, jsonOption],
    run: async ({ context, names: [name = ''], given }) =>
      await tellEvents(context, name, { asJson: has(given, jsonOption), follows: has(given, followOption) }),
  },
  update: { names: [1, 1], takes: [...updateOptions, waitOption], takesCommand: true, run: update },
  restart: { names: [1, many], takes: [waitOption], run: changing(decideRestart, true) },
  stop: { names: [1, many], takes: [waitOption], run: changing(decideStop, false) },
  rm: { names: [1, many], takes: [waitOption], run: changing(decideRemove, false) },
};

/** @throws NshError `usage` */
function check(word: string, verb: Verb, { names, command, given }: Given): void {
  const [least, most] = verb.names;
  if (names.length < least) throw new NshError('usage', `${word}: no group is named`);
  if (names.length > most) {
    const hint = verb.takesCommand === true && command === undefined ? ': a command is given behind --' : '';
    throw new NshError('usage', `${word}: an operand too many, ${quoteText(names[most] ?? '')}${hint}`);
  }
  if (command !== undefined && verb.takesCommand !== true) throw new NshError('usage', `${word} takes no command`);
  if (command?.length === 0) throw new NshError('usage', 'no command is given behind --');
  const strange = given.find(({ option }) => !verb.takes.includes(option));
  if (strange !== undefined) throw new NshError('usage', `${word} does not take --${strange.option.long ?? ''}`);
}

async function start({ context, names, command, given }: Call): Promise<number> {
  const [name = ''] = names;
  const written = readSpecOptions(given, context.env);
  if (command === undefined && Object.keys(written).length > 0)
    throw new NshError(
      'usage',
      `no command is given behind --; to change a group that there is: nsh group update ${name} …`,
    );
  // Wrong words are told before anybody is asked.
  const spec = command === undefined ? undefined : specWith(undefined, name, written, command);
  return await change(context, given, {
    names,
    places: true,
    isStart: true,
    decide: (seen, around) => (spec === undefined ? decideAgain(seen, around) : decideNew(seen, spec)),
  });
}

async function update({ context, names, command, given }: Call): Promise<number> {
  const written = readSpecOptions(given, context.env);
  if (command === undefined && Object.keys(written).length === 0)
    throw new NshError('usage', 'it is not said what to change: give options, or a command behind --');
  return await change(context, given, {
    names,
    places: true,
    decide: (seen, around) => decideUpdate(seen, around, written, command),
  });
}

function changing(decide: GroupsChange['decide'], places: boolean): Verb['run'] {
  return async ({ context, names, given }) =>
    await change(context, given, { names: [...new Set(names)], places, decide });
}

async function change(
  context: CommandContext,
  given: readonly ParsedOption[],
  what: Omit<GroupsChange, 'command' | 'waitMs'>,
): Promise<number> {
  return await changeGroups(context, { command: 'group', waitMs: readWait(given), ...what });
}

function has(given: readonly ParsedOption[], option: OptionSpec): boolean {
  return given.some((each) => each.option === option);
}
