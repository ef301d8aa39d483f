/** `nsh counter`: a number that the whole cluster counts with. */
import { addToCounter, changeCounter, readCounter, type Count } from '../../src/coordination/counter.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Store } from '../../src/store/store.ts';
import type { Command, OptionSpec } from '../command.ts';
import { jsonOption } from '../coordination/options.ts';
import { parseOptions } from '../getopt.ts';

const options: readonly OptionSpec[] = [jsonOption];

export const counterCommand: Command = {
  name: 'counter',
  synopsis: ['[--json] NAME [+N | -N | =N]'],
  summary: 'count with a number that the cluster shares',
  options,
  details: ['Prints its value, after the change where there is one. A counter that nobody has changed is 0.'],
  run: async (context, args) => {
    const parsed = parseOptions(options, args, 'posix');
    const [name, change, ...others] = parsed.operands;
    if (name === undefined) throw new NshError('usage', 'no counter is named');
    if (others.length > 0) throw new NshError('usage', `an operand too many: ${quoteText(others[0] ?? '')}`);
    const act = readChange(change);
    const store = await (await context.cluster()).store(context.signal);
    const { value, revision } = await act(store, name, context.signal);
    const asJson = parsed.options.length > 0;
    const text = asJson ? JSON.stringify({ name, value: String(value), revision: String(revision) }) : String(value);
    context.stdout.write(`${text}\n`);
    return 0;
  },
};

type Act = (store: Store, name: string, signal: AbortSignal) => Promise<Count>;

/** @throws NshError `usage` */
function readChange(text: string | undefined): Act {
  if (text === undefined) return (store, name, signal) => readCounter(store, name, { signal });
  const found = /^([+=-])(-?)(\d{1,100})$/.exec(text);
  const [, sign = '', minus = '', digits = ''] = found ?? [];
  if (found === null || (minus !== '' && sign !== '='))
    throw new NshError('usage', `${quoteText(text)} is no change of a counter; write +N, -N or =N`);
  const number = BigInt(digits) * (minus === '-' ? -1n : 1n);
  if (sign === '=') return (store, name, signal) => changeCounter(store, name, () => number, { signal });
  return (store, name, signal) => addToCounter(store, name, sign === '-' ? -number : number, { signal });
}
