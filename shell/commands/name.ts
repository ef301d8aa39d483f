/** `nsh name`: a process has a name as long as it runs; others find it by that. */
import { makeClaimId } from '../../src/coordination/keys.ts';
import {
  awaitName,
  findName,
  listNames,
  registerName,
  watchName,
  type NamedParty,
} from '../../src/coordination/names.ts';
import { maxSays } from '../../src/coordination/party.ts';
import { unlessAborted } from '../../src/coordination/patience.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { Given, jsonOption, timedOutStatus, timeoutOption, ttlOption } from '../coordination/options.ts';
import { runUnder } from '../coordination/run-under.ts';
import { takePart } from '../coordination/take-part.ts';
import { escapeJson, escapeText } from '../escape.ts';
import { parseOptions } from '../getopt.ts';
import { makeReporter } from '../run/report.ts';
import { checkLength } from '../run/values.ts';

const findOption: OptionSpec = {
  long: 'find',
  summary: 'print the value that NAME has, or else the PID of who has it',
};
const watchOption: OptionSpec = { long: 'watch', summary: 'print who has NAME now, and a line for each one after' };
const listOption: OptionSpec = { short: 'l', long: 'list', summary: 'list the names that begin with PREFIX' };
const options: readonly OptionSpec[] = [findOption, timeoutOption, watchOption, listOption, jsonOption, ttlOption];

export const nameCommand: Command = {
  name: 'name',
  synopsis: [
    '[--ttl DURATION] NAME [VALUE] [-- COMMAND [ARGUMENT…]]',
    '--find [-t DURATION] [--json] NAME',
    '--watch [--json] NAME',
    '-l [--json] [PREFIX]',
  ],
  summary: 'give a process a name by which the cluster finds it',
  options,
  details: [
    'The name is taken as long as COMMAND runs, or without one until nsh is ended. With -t, --find waits for somebody to take it.',
    'Status 1: the name is taken, or nobody has it.',
  ],
  run: async (context, args) => {
    const end = args.indexOf('--');
    const parsed = parseOptions(options, end === -1 ? args : args.slice(0, end));
    const given = new Given(parsed.options);
    const argv = end === -1 ? undefined : args.slice(end + 1);
    const { operands } = parsed;
    const asked = [findOption, watchOption, listOption].filter((option) => given.has(option));
    if (asked.length > 1) throw new NshError('usage', '--find, --watch and --list exclude each other');
    const [mode] = asked;
    const [name, value, ...others] = operands;
    const isWrong = others.length > 0 || (mode !== undefined && (value !== undefined || argv !== undefined));
    if (isWrong) throw new NshError('usage', 'an operand too many');
    if (mode === listOption) return await list(context, name ?? '', given.has(jsonOption));
    if (name === undefined) throw new NshError('usage', 'no name is given');
    if (mode === findOption) return await find(context, name, given);
    if (mode === watchOption) return await watch(context, name, given.has(jsonOption));
    if (argv?.length === 0) throw new NshError('usage', 'no command is given behind --');
    return await register(context, { name, value: checkLength(value, 'VALUE', maxSays), argv, given });
  },
};

interface Registering {
  readonly name: string;
  readonly value: string | undefined;
  readonly argv: readonly string[] | undefined;
  readonly given: Given;
}

async function register(context: CommandContext, { name, value, argv, given }: Registering): Promise<number> {
  const words = argv ?? ['nsh', 'name', name, ...(value === undefined ? [] : [value])];
  const part = await takePart(context, words, given.ttlSeconds());
  const { participant } = part;
  try {
    const registration = await unlessAborted(context.signal, registerName(participant, name, value));
    if (argv !== undefined) {
      const id = makeClaimId(participant.session.id);
      return await runUnder(context, part, registration, { command: 'name', id, argv });
    }
    await untilAborted(AbortSignal.any([registration.lost, context.signal]));
    throw context.signal.aborted ? context.signal.reason : registration.lost.reason;
  } finally {
    await part.close();
  }
}

async function find(context: CommandContext, name: string, given: Given): Promise<number> {
  const store = await (await context.cluster()).store(context.signal);
  const { timeoutMs } = given.patience();
  let found = timeoutMs === undefined ? await findName(store, name, { signal: context.signal }) : undefined;
  if (timeoutMs !== undefined) {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      found = await awaitName(store, name, AbortSignal.any([timeout, context.signal]));
    } catch (error) {
      if (!timeout.aborted || context.signal.aborted) throw error;
    }
  }
  if (found === undefined) {
    const within = timeoutMs === undefined ? '' : ` within ${given.value(timeoutOption) ?? ''}`;
    makeReporter(context, 'name').say(`nobody has the name ${quoteText(name)}${within}`);
    return timeoutMs === undefined ? 1 : timedOutStatus;
  }
  const { says, gpid } = found.party;
  context.stdout.write(`${given.has(jsonOption) ? json(found) : escapeText(says ?? String(gpid))}\n`);
  return 0;
}

async function watch(context: CommandContext, name: string, asJson: boolean): Promise<number> {
  const store = await (await context.cluster()).store(context.signal);
  for await (const found of watchName(store, name, context.signal))
    context.stdout.write(`${asJson ? json(found) : found === undefined ? '-' : describe(found)}\n`);
  throw context.signal.reason;
}

async function list(context: CommandContext, prefix: string, asJson: boolean): Promise<number> {
  const store = await (await context.cluster()).store(context.signal);
  const names = await listNames(store, prefix, { signal: context.signal });
  if (asJson) context.stdout.write(`[${names.map((found) => `\n  ${json(found)}`).join(',')}\n]\n`);
  else context.stdout.write(names.map((found) => `${escapeText(found.name)} ${describe(found)}\n`).join(''));
  return 0;
}

function describe({ party: { gpid, node, says } }: NamedParty): string {
  return escapeText(`${gpid} ${node}${says === undefined ? '' : ` ${says}`}`);
}

function json(found: NamedParty | undefined): string {
  if (found === undefined) return 'null';
  const { name, token, party } = found;
  const { gpid, node, command, says } = party;
  const told = { name, pid: gpid, node, command, ...(says === undefined ? {} : { value: says }), token: String(token) };
  return escapeJson(JSON.stringify(told));
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
