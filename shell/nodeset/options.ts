/** Options of `nsh nodeset`, and what a call of it asks for. */
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { OptionSpec } from '../command.ts';
import { parseOptions, type ParsedOperand, type ParsedOption } from '../getopt.ts';

export const nodesetOptions = {
  count: { short: 'c', long: 'count', summary: 'print the number of nodes' },
  expand: { short: 'e', long: 'expand', summary: 'print every name' },
  fold: { short: 'f', long: 'fold', summary: 'print one nodeset, as short as it can be' },
  list: {
    short: 'l',
    long: 'list',
    summary: 'print the labels of the nodes; -ll also which nodes, -lll also how many',
  },
  exclude: { short: 'x', long: 'exclude', argument: 'NODESET', summary: 'without these nodes' },
  intersection: { short: 'i', long: 'intersection', argument: 'NODESET', summary: 'only those among these nodes' },
  xor: { short: 'X', long: 'xor', argument: 'NODESET', summary: 'those that are in exactly one of both' },
  all: { short: 'a', long: 'all', summary: 'start with all nodes of the cluster' },
  separator: {
    short: 'S',
    long: 'separator',
    argument: 'TEXT',
    summary: String.raw`put TEXT between expanded names (default: a space; \n and \t are understood)`,
  },
  format: {
    short: 'O',
    long: 'output-format',
    argument: 'FORMAT',
    summary: 'print each result in place of %s in FORMAT',
  },
  slice: { short: 'I', long: 'slice', argument: 'RANGES', summary: 'only the nodes at these places, counted from 0' },
  split: { long: 'split', argument: 'N', summary: 'print at most N subsets of equal size, one a line' },
  contiguous: { long: 'contiguous', summary: 'print subsets without gaps in their numbers, one a line' },
  autostep: {
    long: 'autostep',
    argument: 'N',
    summary: "fold N or more numbers at equal distance into a-b/step; a percentage of all nodes, or 'auto'",
  },
  quiet: { short: 'q', long: 'quiet', summary: 'no warnings' },
} as const satisfies Record<string, OptionSpec>;

type OptionName = keyof typeof nodesetOptions;
const commandNames = ['count', 'expand', 'fold', 'list'] as const satisfies readonly OptionName[];
const operationNames = ['intersection', 'exclude', 'xor'] as const satisfies readonly OptionName[];

export type NodesetOperation = (typeof operationNames)[number];

/** One operand; those without an operation are added. */
export interface NodesetTerm {
  readonly operation: NodesetOperation | 'add';
  readonly text: string;
}

export interface NodesetCall {
  readonly command: (typeof commandNames)[number];
  /** How often -l was given. */
  readonly listLevel: number;
  /** Begin with every node of the cluster. */
  readonly all: boolean;
  readonly quiet: boolean;
  /** Operations before the first operand, by their kind as the tool orders them. */
  readonly early: readonly NodesetTerm[];
  readonly terms: readonly NodesetTerm[];
  readonly separator: string;
  readonly format: string;
  readonly slice: string | undefined;
  /** Most subsets to print; undefined: one line for all. */
  readonly split: number | undefined;
  readonly contiguous: boolean;
  /** Least numbers for a step, or a share of all; undefined: no steps. */
  readonly autostep: { readonly count: number } | { readonly share: number } | 'auto' | undefined;
}

/** @throws NshError `usage` */
export function readNodesetCall(args: readonly string[]): NodesetCall {
  const { options, items } = parseOptions(Object.values(nodesetOptions), args);
  const times = (name: OptionName): number => options.filter(({ option }) => option === nodesetOptions[name]).length;
  const value = (name: OptionName): string | undefined =>
    options.findLast(({ option }) => option === nodesetOptions[name])?.value;
  const [command, another] = commandNames.filter((name) => times(name) > 0);
  if (command === undefined) throw usage('say what to do: -e (expand), -f (fold), -c (count) or -l (list labels)');
  if (another !== undefined) throw usage('only one of -c, -e, -f and -l at a time');
  if (times('split') > 0 && times('contiguous') > 0) throw usage('--split and --contiguous exclude each other');
  const firstOperand = items.findIndex((item) => item.option === undefined);
  const early = (firstOperand < 0 ? items : items.slice(0, firstOperand)).flatMap(readTerm);
  return {
    command,
    listLevel: times('list'),
    all: times('all') > 0,
    quiet: times('quiet') > 0,
    early: operationNames.flatMap((name) => early.filter(({ operation }) => operation === name)),
    terms: firstOperand < 0 ? [] : items.slice(firstOperand).flatMap(readTerm),
    separator: unescape(value('separator') ?? ' '),
    format: value('format') ?? '%s',
    slice: value('slice'),
    split: readCount(value('split')),
    contiguous: times('contiguous') > 0,
    autostep: readAutostep(value('autostep')),
  };
}

function readTerm(item: ParsedOption | ParsedOperand): NodesetTerm[] {
  if (item.option === undefined) return [{ operation: 'add', text: item.operand }];
  const operation = operationNames.find((name) => nodesetOptions[name] === item.option);
  return operation === undefined ? [] : [{ operation, text: item.value ?? '' }];
}

function readCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,7}$/.test(text) && Number(text) > 0) return Number(text);
  throw usage(`--split takes a number from 1 on, not ${quoteText(text)}`);
}

function readAutostep(text: string | undefined): NodesetCall['autostep'] {
  if (text === undefined || text === 'auto') return text;
  const { number, percent } = /^(?<number>\d{1,7})(?<percent>%?)$/.exec(text)?.groups ?? {};
  const value = Number(number);
  if (percent === '' && value >= 3) return { count: value };
  if (percent === '%' && value >= 1 && value <= 100) return { share: value / 100 };
  throw usage(`--autostep takes a number from 3 on, a percentage such as 50%, or 'auto', not ${quoteText(text)}`);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

function unescape(text: string): string {
  return text.replace(/\\([ntr0\\])/g, (whole, sign: string) => escapes[sign] ?? whole);
}

function usage(message: string): NshError {
  return new NshError('usage', message);
}
