/**
 * Which nodes of a cluster a text means: `web[1-8],db1!web3,@gpu,7`. Names, ids and labels mix; each operand becomes names
 * of nodes before the operators apply, so that `@all!3` leaves out the node with id 3. What is no label may be a group of
 * processes or a replica, `@web` and `@web/2`: the nodes that run it, which the caller has asked the store for. A label
 * comes first, so that what it means does not hang on which groups there are; `@group:web` is the group in any case.
 */
import { selfNode } from '../../ids/gpid.ts';
import { suggestNear } from '../../ids/near.ts';
import { parseNodeset, Nodeset, type ParseNodesetOptions } from '../../ids/nodeset/index.ts';
import { quoteText } from '../../ids/quote-text.ts';
import { NshError } from '../../protocol/errors.ts';
import type { NodeSpec } from '../node-spec.ts';

/** A ClusterSpec or a ClusterClient is one. */
export interface KnownNodes {
  /** What `@all` means. */
  readonly nodes: readonly NodeSpec[];
  /** This machine: it can be named even where it is not one of `nodes`. */
  readonly self?: NodeSpec;
  /** Ids of the nodes that run a group (`web`) or a replica (`web/2`); undefined: there is none. Absent: no groups are known. */
  readonly groups?: ReadonlyMap<string, readonly number[] | undefined>;
}

/** As ClusterShell names the source of a group. */
const groupSource = 'group:';

/**
 * Nodes in the order of the cluster, each once.
 * @throws NshError `nodeset` (malformed, an unknown label, or nothing left) or `unknownNode`, which lists all that are unknown
 */
export function resolveNodes(text: string, known: KnownNodes): NodeSpec[] {
  const candidates = namedNodes(known);
  const names = new Set(parseKnownNodes(text, known).names());
  const chosen = candidates.filter((node) => names.has(node.name));
  if (chosen.length === 0) {
    const idle = [...(known.groups ?? [])].find(([, nodes]) => nodes?.length === 0)?.[0];
    const why = idle === undefined ? 'no node is left to work on' : `${idle} runs on no node now`;
    throw new NshError('nodeset', `nodeset ${quoteText(text)} is empty: ${why}`);
  }
  return chosen;
}

/** What a nodeset has behind `@` that is no label, and so may be a group or a replica: `web`, `web/2`. Empty where it is malformed. */
export function groupsNamed(text: string, nodes: readonly NodeSpec[]): string[] {
  const named = new Set<string>();
  try {
    parseNodeset(text, {
      labels: (label) => {
        const found = namesWithLabel(label, nodes);
        if (found === undefined && label !== '') named.add(withoutSource(label));
        return found ?? [];
      },
    });
  } catch {
    return []; // Whoever resolves it is told what is wrong.
  }
  return [...named];
}

function withoutSource(label: string): string {
  return label.startsWith(groupSource) ? label.slice(groupSource.length) : label;
}

/** The same as a nodeset, which may be empty. */
export function parseKnownNodes(text: string, known: KnownNodes): Nodeset {
  const candidates = namedNodes(known);
  const byWord = new Map(candidates.flatMap((node) => [[node.name, node] as const, [String(node.id), node] as const]));
  const unknown = new Set<string>();
  const nodeset = parseNodeset(text, {
    ...labelReading(known),
    rename: (word) => {
      const node = byWord.get(word);
      if (node === undefined) unknown.add(word);
      return node?.name ?? word;
    },
  });
  if (unknown.size > 0) throw unknownNodes([...unknown], candidates);
  return nodeset;
}

/** What `parseNodeset` is to know of words behind `@`. */
export function labelReading(known: KnownNodes): Required<Pick<ParseNodesetOptions, 'labels' | 'explainLabel'>> {
  const byId = new Map(namedNodes(known).map(({ id, name }) => [id as number, name]));
  return {
    labels: (label) =>
      namesWithLabel(label, known.nodes) ??
      known.groups?.get(withoutSource(label))?.map((id) => byId.get(id) ?? outsider(label, id)),
    explainLabel: (label) => {
      const words = [...labelsOf(known.nodes), ...groupNames(known.groups)].map((each) => `@${each}`);
      const more = known.groups === undefined ? '' : ', and no group is called so';
      return more + suggestNear(`@${withoutSource(label)}`, words);
    },
  };
}

function groupNames(groups: KnownNodes['groups']): string[] {
  return [...(groups ?? [])].flatMap(([name, nodes]) => (nodes === undefined ? [] : [name]));
}

/** Of those that a group runs on none is passed over in silence. */
function outsider(group: string, id: number): never {
  throw new NshError(
    'unknownNode',
    `@${group} runs on node ${id}, which the cluster file does not have; 'nsh cluster diff' tells how it differs`,
  );
}

/** Nodes whose label it is; `all` is on every node. Undefined where nobody has it. */
export function namesWithLabel(label: string, nodes: readonly NodeSpec[]): string[] | undefined {
  const labelled = label === 'all' ? nodes : nodes.filter((node) => node.labels.includes(label));
  return labelled.length === 0 && label !== 'all' ? undefined : labelled.map((node) => node.name);
}

/** Every label of the cluster, sorted, `all` among them. */
export function labelsOf(nodes: readonly NodeSpec[]): string[] {
  return [...new Set(['all', ...nodes.flatMap((node) => node.labels)])].sort();
}

function namedNodes({ nodes, self }: KnownNodes): readonly NodeSpec[] {
  return self === undefined || nodes.some((node) => node.id === self.id) ? nodes : [self, ...nodes];
}

function unknownNodes(words: readonly string[], candidates: readonly NodeSpec[]): NshError {
  const shown = words.slice(0, 10).map((word) => quoteText(word));
  const more = words.length > shown.length ? ` and ${words.length - shown.length} more` : '';
  const message = `unknown ${words.length === 1 ? 'node' : 'nodes'} ${shown.join(', ')}${more}${hint(words, candidates)}`;
  return new NshError('unknownNode', message, { data: { unknown: words.slice(0, 1000) } });
}

function hint(words: readonly string[], candidates: readonly NodeSpec[]): string {
  if (candidates.every((node) => node.id === selfNode))
    return ': no cluster file was found, so this machine alone is the cluster; see nsh-cluster(5)';
  const [word] = words;
  if (word === undefined || words.length > 1) return "; 'nsh nodes' lists those of the cluster";
  if (/^\d+-\d+$/.test(word)) return `; a range of ids stands in brackets: [${word}]`;
  const label = labelsOf(candidates).includes(word) ? `; did you mean '@${word}'?` : '';
  return (
    label ||
    suggestNear(
      word,
      candidates.map((node) => node.name),
    ) ||
    sameSeries(word, candidates) ||
    `; 'nsh nodes' lists those of the cluster`
  );
}

/** Of a name that differs in its number alone those that there are: `; did you mean one of 'web[1-8]'?` */
function sameSeries(word: string, candidates: readonly NodeSpec[]): string {
  const stem = stemOf(word);
  const series = candidates.map(({ name }) => name).filter((name) => stemOf(name) === stem);
  if (stem === undefined || series.length === 0) return '';
  const folded = Nodeset.ofNames(series).fold();
  return folded.length > maxSeriesLength
    ? ''
    : `; did you mean ${series.length > 1 ? 'one of ' : ''}${quoteText(folded)}?`;
}

const maxSeriesLength = 60;

function stemOf(name: string): string | undefined {
  return /^(.*\D)\d+$/.exec(name)?.[1];
}
