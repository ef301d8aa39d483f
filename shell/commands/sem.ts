/** `nsh sem`: runs a command while one of the N places of a semaphore is held. */
import { placeOf } from '../../src/coordination/keys.ts';
import { acquireSemaphore, checkSize } from '../../src/coordination/semaphore.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, OptionSpec } from '../command.ts';
import { runHoldCommand } from '../coordination/hold-command.ts';
import { numberOption, parseTaking, timeoutOption, tryOption, ttlOption } from '../coordination/options.ts';
import { parseCount } from '../run/values.ts';

const options: readonly OptionSpec[] = [numberOption, timeoutOption, tryOption, ttlOption];

export const semCommand: Command = {
  name: 'sem',
  synopsis: ['-n N [-t DURATION | --try] [--ttl DURATION] NAME [--] COMMAND [ARGUMENT…]'],
  summary: 'run a command that at most N run at once in the cluster',
  options,
  details: ['While anybody holds or waits for it, another N is refused. Else as nsh lock.'],
  run: async (context, args) => {
    const taking = parseTaking(options, args, 'semaphore');
    const text = taking.given.value(numberOption);
    if (text === undefined) throw new NshError('usage', 'how many may run at once? -n N is missing');
    const size = parseCount(text, '-n', 1);
    checkSize('semaphore', size);
    return await runHoldCommand(context, {
      command: 'sem',
      place: placeOf('semaphore', taking.name),
      options: taking,
      acquire: (participant, turn) => acquireSemaphore(participant, taking.name, size, turn),
    });
  },
};
