/**
 * `nsh nodeset`: nodesets expanded, folded, counted and combined, as ClusterShell's nodeset(1) does it. The labels of the
 * cluster file are its groups, and so are the groups of processes: the nodes that run them.
 */
import { groupsNamed, labelReading, namesWithLabel, type KnownNodes } from '../../src/cluster/file/resolve-nodes.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { Nodeset, parseNodeset, type ParseNodesetOptions } from '../../src/ids/nodeset/index.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, CommandContext } from '../command.ts';
import { groupsFor } from '../nodeset/named-nodes.ts';
import { nodesetOptions, readNodesetCall, type NodesetCall, type NodesetTerm } from '../nodeset/options.ts';
import { printLabels, printNodeset } from '../nodeset/print.ts';

export const nodesetCommand: Command = {
  name: 'nodeset',
  synopsis: ['-e|-f|-c [OPTION…] [NODESET|- [-ixX NODESET|-]…]…', '-l [NODESET…]'],
  summary: 'expand, fold and count sets of nodes',
  options: Object.values(nodesetOptions),
  run: runNodeset,
};

/** @returns 0, or as the tool 1 for a malformed nodeset. */
async function runNodeset(context: CommandContext, args: readonly string[]): Promise<number> {
  const call = readNodesetCall(args);
  try {
    await write(context, await answer(context, call));
    return 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 1;
    if (!(error instanceof NshError) || error.code !== 'nodeset') throw error;
    context.stderr.write(`nsh nodeset: ${error.message}\n`);
    return 1;
  }
}

async function answer(context: CommandContext, call: NodesetCall): Promise<string> {
  const isList = call.command === 'list';
  const stdinAlone = call.terms.length === 0 && !call.all && !isList;
  const texts = [...call.early, ...call.terms].map(({ text }) => text);
  const stdin = stdinAlone || texts.includes('-') ? await readWords(context) : [];
  // Only labels and wildcards need the cluster: all else works whatever state its file is in.
  const needsCluster = isList || call.all || [...texts, ...stdin].some((text) => /[@*?]/.test(text));
  const known = needsCluster ? (await context.clusterSpec()).nodes : undefined;
  const wordsOf = (text: string): readonly string[] => (text === '-' ? stdin : text.split(/\r?\n/));
  const all = [...(stdinAlone ? stdin : []), ...texts.flatMap(wordsOf)];
  const around = known === undefined ? undefined : await withGroups(context, known, all);
  const read = (text: string): Nodeset =>
    Nodeset.unionOf(wordsOf(text).map((word) => parseNodeset(word, around === undefined ? {} : reading(around))));
  let nodes = call.all ? Nodeset.ofNames(namesWithLabel('all', known ?? []) ?? []) : Nodeset.empty;
  if (stdinAlone) nodes = read('-');
  if (call.early.length > 0 && nodes.count === 0 && !call.quiet) {
    context.stderr.write('nsh nodeset: warning: there is nothing before the first -x, -i or -X\n');
  }
  for (const { operation, text } of [...call.early, ...call.terms]) nodes = apply[operation](nodes, read(text));
  if (!isList) return printNodeset(nodes, call);
  const isFiltered = call.all || texts.length > 0;
  return printLabels(known ?? [], call.listLevel, isFiltered ? nodes : undefined);
}

const apply: Readonly<Record<NodesetTerm['operation'], (left: Nodeset, right: Nodeset) => Nodeset>> = {
  add: (left, right) => left.union(right),
  exclude: (left, right) => left.subtract(right),
  intersection: (left, right) => left.intersect(right),
  xor: (left, right) => left.xor(right),
};

/** The store is asked only where a word behind `@` is no label. */
async function withGroups(
  context: CommandContext,
  nodes: readonly NodeSpec[],
  words: readonly string[],
): Promise<KnownNodes> {
  if (words.every((word) => groupsNamed(word, nodes).length === 0)) return { nodes };
  return { nodes, ...(await groupsFor(() => context.cluster(), nodes, words, context.signal)) };
}

function reading(known: KnownNodes): ParseNodesetOptions {
  const { labels, explainLabel } = labelReading(known);
  return { labels, explainLabel: (label) => explainLabel(label) || "; 'nsh nodeset -l' lists them" };
}

/** Words of standard input; `#` begins a comment. */
async function readWords({ stdin }: CommandContext): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer));
  const lines = Buffer.concat(chunks).toString('utf8').split('\n');
  return lines.flatMap((line) => line.replace(/#.*/, '').split(/\s+/)).filter((word) => word !== '');
}

async function write({ stdout }: CommandContext, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stdout.write(text, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
