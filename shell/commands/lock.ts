/** `nsh lock`: runs a command while a lock of the whole cluster is held, as flock(1) does on one machine. */
import { placeOf } from '../../src/coordination/keys.ts';
import { acquireLock } from '../../src/coordination/lock.ts';
import type { Command, OptionSpec } from '../command.ts';
import { runHoldCommand } from '../coordination/hold-command.ts';
import { parseTaking, timeoutOption, tryOption, ttlOption } from '../coordination/options.ts';

const sharedOption: OptionSpec = {
  short: 's',
  long: 'shared',
  summary: 'beside others that share it; alone where it is left out',
};
const options: readonly OptionSpec[] = [timeoutOption, tryOption, sharedOption, ttlOption];

export const lockCommand: Command = {
  name: 'lock',
  synopsis: ['[-s] [-t DURATION | --try] [--ttl DURATION] NAME [--] COMMAND [ARGUMENT…]'],
  summary: 'run a command while a lock of the cluster is held',
  options,
  details: [
    'Who comes first has it first. The command finds its fencing token in NSH_FENCING_TOKEN: greater for each later holder. It is ended before the lock can be given to another.',
    "'nsh locks' shows who holds and who waits.",
  ],
  run: async (context, args) => {
    const taking = parseTaking(options, args, 'lock');
    const shared = taking.given.has(sharedOption);
    return await runHoldCommand(context, {
      command: 'lock',
      place: placeOf('lock', taking.name),
      options: taking,
      acquire: (participant, turn) => acquireLock(participant, taking.name, { ...turn, shared }),
    });
  },
};
