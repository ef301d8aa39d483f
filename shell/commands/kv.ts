/** `nsh kv`: values by key, for the whole cluster. */
import {
  deleteValue,
  getValue,
  listValues,
  putValue,
  watchValues,
  type ValueChange,
} from '../../src/coordination/key-value.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { maxRequestBytes } from '../../src/store/limits.ts';
import type { Store } from '../../src/store/store.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { Given, jsonOption } from '../coordination/options.ts';
import { escapeJson, escapeLines, escapeText } from '../escape.ts';
import { parseOptions } from '../getopt.ts';
import { makeReporter } from '../run/report.ts';

const newOption: OptionSpec = { long: 'new', summary: 'put only where the key is not there yet' };
const revisionOption: OptionSpec = {
  long: 'if-revision',
  argument: 'N',
  summary: 'put or del only where the last change was at this revision, as --json tells it',
};
const options: readonly OptionSpec[] = [newOption, revisionOption, jsonOption];

export const kvCommand: Command = {
  name: 'kv',
  synopsis: [
    'get [--json] KEY',
    'put [--new | --if-revision N] KEY [VALUE]',
    'del [--if-revision N] KEY',
    'ls [--json] [PREFIX]',
    'watch [--json] [PREFIX]',
  ],
  summary: 'keep values by key for the whole cluster, and watch them',
  options,
  details: [
    'put takes the value from its input where none is given. get writes it as it is, and at a terminal as one line. watch prints what is there, then every change.',
    'Status 1: get or del found no such key, or --new or --if-revision did not hold, and nothing was changed.',
  ],
  run: async (context, args) => {
    const parsed = parseOptions(options, args);
    const given = new Given(parsed.options);
    const [verb, ...operands] = parsed.operands;
    const action = verbs.get(verb ?? '');
    if (verb === undefined || action === undefined) {
      const what = verb === undefined ? 'it is not said what to do' : `${quoteText(verb)} cannot be done`;
      throw new NshError('usage', `${what}: get, put, del, ls or watch`);
    }
    const [least, most] = action.operands;
    if (operands.length < least) throw new NshError('usage', `${verb}: no key is given`);
    if (operands.length > most) throw new NshError('usage', `${verb}: an operand too many`);
    for (const option of options) {
      if (given.has(option) && !action.takes.includes(option))
        throw new NshError('usage', `${verb} does not take --${option.long ?? ''}`);
    }
    readCondition(given);
    const store = await (await context.cluster()).store(context.signal);
    return await action.run({ context, store, given, operands });
  },
};

interface Call {
  readonly context: CommandContext;
  readonly store: Store;
  readonly given: Given;
  readonly operands: readonly string[];
}

interface Verb {
  readonly operands: readonly [least: number, most: number];
  readonly takes: readonly OptionSpec[];
  run(call: Call): Promise<number>;
}

const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['get', { operands: [1, 1], takes: [jsonOption], run: get }],
  ['put', { operands: [1, 2], takes: [newOption, revisionOption], run: put }],
  ['del', { operands: [1, 1], takes: [revisionOption], run: del }],
  ['ls', { operands: [0, 1], takes: [jsonOption], run: list }],
  ['watch', { operands: [0, 1], takes: [jsonOption], run: watch }],
]);

async function get({ context, store, given, operands: [key = ''] }: Call): Promise<number> {
  const found = await getValue(store, key, { signal: context.signal });
  if (found === undefined) return refuse(context, `there is no key ${quoteText(key)}`);
  if (given.has(jsonOption)) context.stdout.write(`${json(found)}\n`);
  else if (context.stdout.isTTY === true) context.stdout.write(`${escapeLines(textOf(found.value))}\n`);
  else context.stdout.write(found.value);
  return 0;
}

async function put({ context, store, given, operands: [key = '', text] }: Call): Promise<number> {
  const condition = readCondition(given);
  const value = text === undefined ? await readInput(context) : Buffer.from(text);
  if ((await putValue(store, key, value, { ...condition, signal: context.signal })) !== undefined) return 0;
  return refuse(context, whyNot(key, given));
}

async function del({ context, store, given, operands: [key = ''] }: Call): Promise<number> {
  if (await deleteValue(store, key, { ...readCondition(given), signal: context.signal })) return 0;
  return refuse(context, given.has(revisionOption) ? whyNot(key, given) : `there is no key ${quoteText(key)}`);
}

async function list({ context, store, given, operands: [prefix = ''] }: Call): Promise<number> {
  const asJson = given.has(jsonOption);
  const { values } = await listValues(store, prefix, { signal: context.signal, keysOnly: !asJson });
  if (asJson) context.stdout.write(`[${values.map((value) => `\n  ${json(value)}`).join(',')}\n]\n`);
  else context.stdout.write(values.map(({ key }) => `${escapeText(key)}\n`).join(''));
  return 0;
}

async function watch({ context, store, given, operands: [prefix = ''] }: Call): Promise<number> {
  const asJson = given.has(jsonOption);
  for await (const change of watchValues(store, prefix, context.signal))
    context.stdout.write(`${asJson ? json(change) : describe(change)}\n`);
  throw context.signal.reason;
}

function describe(change: ValueChange): string {
  if (change.type === 'delete') return escapeText(`del ${change.key}`);
  return escapeText(`put ${change.key} ${textOf(change.value).replaceAll('\n', ' ')}`);
}

/** Bytes that are no text come as base64, in a field of another name. */
function json({ value, revision, ...rest }: { readonly value?: Uint8Array; readonly revision: bigint }): string {
  const text = value === undefined ? undefined : textOf(value);
  const isText = text === undefined || Buffer.compare(Buffer.from(text), value ?? Buffer.alloc(0)) === 0;
  const told = value === undefined ? {} : isText ? { value: text } : { base64: Buffer.from(value).toString('base64') };
  return escapeJson(JSON.stringify({ ...rest, ...told, revision: String(revision) }));
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('utf8');
}

/** @throws NshError `usage` */
function readCondition(given: Given): { readonly ifRevision?: bigint } {
  const text = given.value(revisionOption);
  if (given.has(newOption) && text !== undefined)
    throw new NshError('usage', '--new and --if-revision exclude each other');
  if (given.has(newOption)) return { ifRevision: 0n };
  if (text === undefined) return {};
  if (!/^\d{1,19}$/.test(text)) throw new NshError('usage', `invalid number ${quoteText(text)} for --if-revision`);
  return { ifRevision: BigInt(text) };
}

function whyNot(key: string, given: Given): string {
  return given.has(newOption)
    ? `the key ${quoteText(key)} is there already`
    : `the last change of ${quoteText(key)} was not at revision ${given.value(revisionOption) ?? ''}`;
}

/** @throws NshError `tooLarge` as soon as more has come than the store takes. */
async function readInput({ stdin }: CommandContext): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const data = Buffer.from(chunk as Uint8Array);
    chunks.push(data);
    bytes += data.length;
    if (bytes > maxRequestBytes)
      throw new NshError('tooLarge', `the input is too large for a value: ${maxRequestBytes} bytes is the most`);
  }
  return Buffer.concat(chunks);
}

function refuse(context: CommandContext, why: string): number {
  makeReporter(context, 'kv').say(why);
  return 1;
}
