/** `nsh cluster`: the nodes and labels that agents act on, as the store has them, against those of the cluster file. */
import {
  compareNodes,
  readRecord,
  recordChange,
  type NodeDifference,
  type RecordedNode,
  type SeenRecord,
} from '../../src/coordination/cluster-record.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { isUnknown } from '../../src/store/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { describeDifference, localNodes } from '../cluster/record.ts';
import { nearHost } from '../cluster/who.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { Given, jsonOption } from '../coordination/options.ts';
import { escapeJson, escapeText } from '../escape.ts';
import { parseOptions } from '../getopt.ts';
import { makeReporter } from '../run/report.ts';
import { paint, renderTable, type Style, type TableColumn } from '../table.ts';
import { createPrompter } from '../terminal/prompter.ts';

const yesOption: OptionSpec = { short: 'y', long: 'yes', summary: 'apply without asking' };
const options: readonly OptionSpec[] = [yesOption, jsonOption];

export const clusterCommand: Command = {
  name: 'cluster',
  synopsis: ['show [--json]', 'diff [--json]', 'apply [--yes]'],
  summary: 'show and change the nodes and labels that agents act on',
  options,
  details: [
    'They are in the store: the cluster of record. show prints them. diff tells how the cluster file that nsh reads here differs, with status 1 ' +
      'where it does. apply shows that, asks, and makes the record like the file; where somebody else has changed the record meanwhile ' +
      'nothing is applied.',
    'A file that differs is told of by the commands that it matters to, and never applied by them.',
  ],
  run: async (context, args) => {
    const parsed = parseOptions(options, args);
    const given = new Given(parsed.options);
    const [verb, ...more] = parsed.operands;
    const action = verb === undefined || !Object.hasOwn(verbs, verb) ? undefined : verbs[verb];
    if (action === undefined) {
      const what = verb === undefined ? 'it is not said what to do' : `${quoteText(verb)} cannot be done`;
      throw new NshError('usage', `${what}: show, diff or apply`);
    }
    if (more.length > 0) throw new NshError('usage', `${verb}: an operand too many`);
    if (verb === 'apply' && given.has(jsonOption)) throw new NshError('usage', 'apply does not take --json');
    if (verb !== 'apply' && given.has(yesOption)) throw new NshError('usage', `${verb} does not take --yes`);
    const client = await context.cluster();
    const store = await client.store(context.signal);
    const seen = await readRecord(store, { signal: context.signal });
    const differences = compareNodes(seen.record?.nodes ?? [], localNodes(client));
    return await action({ context, client, store, given, seen, differences });
  },
};

interface Call {
  readonly context: CommandContext;
  readonly client: ClusterClient;
  readonly store: Store;
  readonly given: Given;
  readonly seen: SeenRecord;
  /** From the record to the file. */
  readonly differences: readonly NodeDifference[];
}

const verbs: Readonly<Record<string, (call: Call) => number | Promise<number>>> = { show, diff, apply };

function show({ context, given, seen, client }: Call): number {
  const { record, revision } = seen;
  if (given.has(jsonOption)) {
    const told =
      record === undefined
        ? null
        : {
            nodes: record.nodes,
            by: record.by,
            at: new Date(record.atMs).toISOString(),
            revision: String(revision),
          };
    context.stdout.write(`${escapeJson(JSON.stringify(told, undefined, 2))}\n`);
    return 0;
  }
  if (record === undefined) {
    makeReporter(context, 'cluster').say(`there is no cluster of record yet: ${howToBegin(client)}`);
    return 1;
  }
  const { columns, colour } = context.terminal;
  context.stdout.write(renderTable(record.nodes, nodeColumns, { width: columns, colour }));
  return 0;
}

function howToBegin({ spec }: ClusterClient): string {
  const from = spec.file === undefined ? 'of this machine alone' : `of ${spec.file.path}`;
  return `'nsh cluster apply' makes one ${from}, and so does the first 'nsh group start'`;
}

const nodeColumns: readonly TableColumn<RecordedNode>[] = [
  { header: 'ID', align: 'right', text: ({ id }) => String(id) },
  { header: 'NODE', text: ({ name }) => name },
  { header: 'LABELS', text: ({ labels }) => labels.join(',') },
];

function diff({ context, given, differences }: Call): number {
  if (given.has(jsonOption)) {
    const told = differences.map(({ id, was = null, is = null }) => ({ id, record: was, file: is }));
    context.stdout.write(`${escapeJson(JSON.stringify(told, undefined, 2))}\n`);
  } else context.stdout.write(renderDifferences(differences, context.terminal.colour));
  return differences.length === 0 ? 0 : 1;
}

export function renderDifferences(differences: readonly NodeDifference[], colour: boolean): string {
  const styles: Readonly<Record<string, Style>> = { '+': 'green', '-': 'red', '~': 'yellow' };
  return differences
    .map((each) => escapeText(describeDifference(each)))
    .map((line) => `${paint(line, styles[line.slice(0, 1)], colour)}\n`)
    .join('');
}

async function apply({ context, client, store, given, seen, differences }: Call): Promise<number> {
  const reporter = makeReporter(context, 'cluster');
  if (seen.record !== undefined && differences.length === 0) {
    reporter.say('the cluster of record is like the file already; nothing was changed');
    return 0;
  }
  context.stdout.write(renderDifferences(differences, context.terminal.colour));
  if (!given.has(yesOption) && !(await isWanted(context))) {
    reporter.say('nothing was changed');
    return 1;
  }
  const { compare, put } = recordChange(seen, localNodes(client), { by: nearHost(client), atMs: Date.now() });
  let succeeded: boolean;
  try {
    ({ succeeded } = await store.txn([compare], [put], [], { signal: context.signal }));
  } catch (error) {
    if (!isUnknown(error)) throw error;
    throw new NshError('storeUnknown', `${error.message}: 'nsh cluster diff' tells whether it was applied`, {
      cause: error,
    });
  }
  if (succeeded) return 0;
  const now = await readRecord(store, { signal: context.signal });
  const by = now.record === undefined ? '' : ` by ${now.record.by}`;
  reporter.say(`the cluster of record was changed meanwhile${by}; nothing was applied. From what it is now:`);
  const since = compareNodes(now.record?.nodes ?? [], localNodes(client));
  context.stderr.write(renderDifferences(since, false));
  return 1;
}

/** @throws NshError `usage` where nobody can be asked. */
async function isWanted(context: CommandContext): Promise<boolean> {
  const prompter = context.stdin.isTTY === true ? createPrompter() : undefined;
  if (prompter === undefined) throw new NshError('usage', 'nobody can be asked here: say --yes to apply this');
  const answer = await prompter({ node: 'apply', text: 'Apply this to the cluster of record? [y/N] ', echo: true });
  return /^y(?:es)?$/i.test(answer.trim());
}
