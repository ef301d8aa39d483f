/** `nsh barrier`: waits until N have come to it, then all go on. */
import { passBarrier } from '../../src/coordination/barrier.ts';
import { describePlace } from '../../src/coordination/errors.ts';
import { placeOf } from '../../src/coordination/keys.ts';
import { unlessAborted } from '../../src/coordination/patience.ts';
import { checkSize } from '../../src/coordination/semaphore.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, OptionSpec } from '../command.ts';
import { Given, numberOption, timedOutStatus, timeoutOption, ttlOption } from '../coordination/options.ts';
import { takePart } from '../coordination/take-part.ts';
import { parseOptions } from '../getopt.ts';
import { makeReporter } from '../run/report.ts';
import { parseCount } from '../run/values.ts';

const options: readonly OptionSpec[] = [numberOption, timeoutOption, ttlOption];

export const barrierCommand: Command = {
  name: 'barrier',
  synopsis: ['-n N [-t DURATION] [--ttl DURATION] NAME'],
  summary: 'wait until N processes of the cluster have come to it',
  options,
  details: [
    'All N go on together, or none. One that dies at the gate, or whose time is over, is counted no more, and the others wait on for another in its place: -t bounds that.',
  ],
  run: async (context, args) => {
    const parsed = parseOptions(options, args);
    const given = new Given(parsed.options);
    const [name, ...others] = parsed.operands;
    if (name === undefined) throw new NshError('usage', 'no barrier is named');
    if (others.length > 0) throw new NshError('usage', 'a barrier takes one name, and no command');
    const text = given.value(numberOption);
    if (text === undefined) throw new NshError('usage', 'how many are waited for? -n N is missing');
    const size = parseCount(text, '-n', 1);
    checkSize('barrier', size);
    const place = placeOf('barrier', name);
    const patience = given.patience();
    const part = await takePart(context, ['nsh', 'barrier', ...args], given.ttlSeconds());
    try {
      const passing = passBarrier(part.participant, name, size, { ...patience, signal: context.signal });
      if ((await unlessAborted(context.signal, passing)) !== undefined) return 0;
      const late = given.value(timeoutOption) ?? '';
      makeReporter(context, 'barrier').say(`${describePlace(place)}: not all ${size} have come within ${late}`);
      return timedOutStatus;
    } finally {
      await part.close();
    }
  },
};
