/** `nsh scale`: how many of each group run. */
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { readWait, waitOption } from '../group/await-groups.ts';
import { changeGroups } from '../group/change.ts';
import { decideScale } from '../group/decide.ts';

const options: readonly OptionSpec[] = [waitOption];

export const scaleCommand: Command = {
  name: 'scale',
  synopsis: ['[--wait] GROUP=N…'],
  summary: 'change how many processes of a group run',
  options,
  details: [
    "All that are named change together, or none does. With fewer the highest slots end. 'nsh group ls' shows how many there are.",
  ],
  run: async (context, args) => {
    const parsed = parseOptions(options, args);
    const numbers = readNumbers(parsed.operands);
    return await changeGroups(context, {
      command: 'scale',
      names: [...numbers.keys()],
      places: true,
      waitMs: readWait(parsed.options),
      decide: (seen, around) => decideScale(seen, around, numbers.get(seen.name) ?? ''),
    });
  },
};

/** `web=5 db=2`. @throws NshError `usage` */
export function readNumbers(operands: readonly string[]): Map<string, string> {
  if (operands.length === 0) throw new NshError('usage', 'no group is named: write web=5');
  const numbers = new Map<string, string>();
  for (const operand of operands) {
    const [, name = '', number = ''] = /^([^=]+)=(\d+)$/.exec(operand) ?? [];
    if (name === '') throw new NshError('usage', `${quoteText(operand)} is no group and number: write web=5`);
    if (numbers.has(name)) throw new NshError('usage', `${name} is named twice`);
    numbers.set(name, number);
  }
  return numbers;
}
