/** `nsh elect`: runs a command as long as it leads; `--observe` tells who does. */
import { campaign, observeLeader, type Leader } from '../../src/coordination/election.ts';
import { placeOf } from '../../src/coordination/keys.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { runHoldCommand } from '../coordination/hold-command.ts';
import { jsonOption, parseTaking, timeoutOption, tryOption, ttlOption } from '../coordination/options.ts';
import { escapeJson, escapeText } from '../escape.ts';
import { parseOptions } from '../getopt.ts';

const saysOption: OptionSpec = {
  long: 'says',
  argument: 'TEXT',
  summary: 'what others are told of this leader: an address, for one',
};
const observeOption: OptionSpec = {
  long: 'observe',
  summary: 'print who leads now, and a line for each one after; nothing is run',
};
const takingOptions: readonly OptionSpec[] = [timeoutOption, tryOption, saysOption, ttlOption];
const observingOptions: readonly OptionSpec[] = [observeOption, jsonOption];

export const electCommand: Command = {
  name: 'elect',
  synopsis: [
    '[-t DURATION | --try] [--says TEXT] [--ttl DURATION] NAME [--] COMMAND [ARGUMENT…]',
    '--observe [--json] NAME',
  ],
  summary: 'run a command on the one leader that the cluster agrees on',
  options: [...takingOptions, ...observingOptions],
  details: [
    'Start it on several nodes: the command runs on one of them, and on the next one when that ends or dies. NSH_FENCING_TOKEN is greater for each later leader.',
    '--observe prints the PID, the node and what the leader says, or its command; - where nobody leads.',
  ],
  run: async (context, args) => {
    const all = [...takingOptions, ...observingOptions];
    const { options, operands } = parseOptions(all, args, 'posix');
    const chosen = new Set(options.map(({ option }) => option));
    if (chosen.has(observeOption)) {
      const [name, ...others] = operands;
      if (name === undefined || others.length > 0)
        throw new NshError('usage', '--observe takes one name, and no command');
      return await observe(context, name, chosen.has(jsonOption));
    }
    if (chosen.has(jsonOption)) throw new NshError('usage', '--json goes with --observe');
    const taking = parseTaking(all, args, 'election');
    return await runHoldCommand(context, {
      command: 'elect',
      place: placeOf('election', taking.name),
      options: taking,
      says: taking.given.value(saysOption),
      acquire: (participant, turn) => campaign(participant, taking.name, turn),
    });
  },
};

async function observe(context: CommandContext, name: string, asJson: boolean): Promise<number> {
  const store = await (await context.cluster()).store(context.signal);
  for await (const leader of observeLeader(store, name, context.signal))
    context.stdout.write(`${asJson ? escapeJson(JSON.stringify(toJson(leader))) : describe(leader)}\n`);
  throw context.signal.reason;
}

function describe(leader: Leader | undefined): string {
  if (leader === undefined) return '-';
  const { gpid, node, says, command } = leader.party;
  return escapeText(`${gpid} ${node} ${says ?? command}`);
}

function toJson(leader: Leader | undefined): unknown {
  if (leader === undefined) return null;
  const { gpid, node, says, command } = leader.party;
  return { pid: gpid, node, command, ...(says === undefined ? {} : { says }), token: String(leader.token) };
}
