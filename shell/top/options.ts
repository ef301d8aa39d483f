/** The options of `nsh top`. Pure. */
import { NshError } from '../../src/protocol/errors.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { suggestNear } from '../../src/ids/near.ts';
import type { OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { sortFields, type Arrangement, type SortField } from './arrange.ts';
import { maxInterval, minInterval } from './state.ts';

const batch: OptionSpec = {
  short: 'b',
  long: 'batch',
  summary: 'print every process, sample after sample, and read no keys',
};
const iterations: OptionSpec = { short: 'n', long: 'iterations', argument: 'N', summary: 'end after so many samples' };
const delay: OptionSpec = { short: 'd', long: 'delay', argument: 'SECONDS', summary: 'between samples (default 3)' };
const sort: OptionSpec = {
  short: 'o',
  long: 'sort',
  argument: 'FIELD',
  summary: `sort by ${sortFields.join(', ')} (default cpu); with - in front reversed`,
};
const filter: OptionSpec = {
  short: 'f',
  long: 'filter',
  argument: 'TEXT',
  summary: 'only what holds this in its PID, node, user or command',
};
const tree: OptionSpec = { short: 't', long: 'tree', summary: 'children below their parents' };
const on: OptionSpec = { long: 'on', argument: 'NODESET', summary: 'only these nodes' };
const json: OptionSpec = { long: 'json', summary: 'as -b, each sample one JSON object on a line' };

export const topOptions: readonly OptionSpec[] = [batch, iterations, delay, sort, filter, tree, on, json];

export interface TopOptions extends Arrangement {
  readonly batch: boolean;
  readonly json: boolean;
  /** Infinity: until it is ended. */
  readonly iterations: number;
  readonly intervalMs: number;
  readonly on: string | undefined;
}

/** @throws NshError `usage` */
export function parseTopOptions(args: readonly string[]): TopOptions {
  const { options, operands } = parseOptions(topOptions, args);
  const [unwanted] = operands;
  if (unwanted !== undefined) throw usage(`${quoteText(unwanted)}: top takes options only; -f TEXT filters`);
  const has = (option: OptionSpec): boolean => options.some((parsed) => parsed.option === option);
  const value = (option: OptionSpec): string | undefined =>
    options.findLast((parsed) => parsed.option === option)?.value;
  return {
    batch: has(batch) || has(json),
    json: has(json),
    iterations: readCount(value(iterations)),
    intervalMs: readDelay(value(delay)) * 1000,
    ...readSort(value(sort) ?? 'cpu'),
    filter: value(filter) ?? '',
    tree: has(tree),
    on: value(on),
  };
}

function readCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw usage(`-n takes a number of samples, 1 or more, not ${quoteText(text)}`);
}

function readDelay(text: string | undefined): number {
  if (text === undefined) return 3;
  const seconds = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= minInterval && seconds <= maxInterval) return seconds;
  throw usage(`-d takes ${minInterval} to ${maxInterval} seconds, not ${quoteText(text)}`);
}

function readSort(text: string): { readonly sort: SortField; readonly reversed: boolean } {
  const name = text.replace(/^[-+]/, '').replace(/^%/, '').toLowerCase();
  const field = sortFields.find((known) => known === name);
  if (field === undefined)
    throw usage(
      `-o: no field ${quoteText(text)}${suggestNear(name, sortFields) || `; there are ${sortFields.join(', ')}`}`,
    );
  return { sort: field, reversed: text.startsWith('-') };
}

function usage(message: string): NshError {
  return new NshError('usage', message);
}
