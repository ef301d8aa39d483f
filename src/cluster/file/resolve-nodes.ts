/**
 * Which nodes of a cluster a text means: `web[1-8],db1!web3,@gpu,7`. Names, ids and labels mix; each operand becomes names
 * of nodes before the operators apply, so that `@all!3` leaves out the node with id 3.
 */
import { selfNode } from '../../ids/gpid.ts';
import { suggestNear } from '../../ids/near.ts';
import { parseNodeset, Nodeset } from '../../ids/nodeset/index.ts';
import { quoteText } from '../../ids/quote-text.ts';
import { NshError } from '../../protocol/errors.ts';
import type { NodeSpec } from '../node-spec.ts';

/** A ClusterSpec or a ClusterClient is one. */
export interface KnownNodes {
  /** What `@all` means. */
  readonly nodes: readonly NodeSpec[];
  /** This machine: it can be named even where it is not one of `nodes`. */
  readonly self?: NodeSpec;
}

/**
 * Nodes in the order of the cluster, each once.
 * @throws NshError `nodeset` (malformed, an unknown label, or nothing left) or `unknownNode`, which lists all that are unknown
 */
export function resolveNodes(text: string, known: KnownNodes): NodeSpec[] {
  const candidates = namedNodes(known);
  const names = new Set(parseKnownNodes(text, known).names());
  const chosen = candidates.filter((node) => names.has(node.name));
  if (chosen.length === 0)
    throw new NshError('nodeset', `nodeset ${quoteText(text)} is empty: no node is left to work on`);
  return chosen;
}

/** The same as a nodeset, which may be empty. */
export function parseKnownNodes(text: string, known: KnownNodes): Nodeset {
  const candidates = namedNodes(known);
  const byWord = new Map(candidates.flatMap((node) => [[node.name, node] as const, [String(node.id), node] as const]));
  const unknown = new Set<string>();
  const nodeset = parseNodeset(text, {
    labels: (label) => namesWithLabel(label, known.nodes),
    explainLabel: (label) =>
      suggestNear(
        `@${label}`,
        labelsOf(known.nodes).map((each) => `@${each}`),
      ),
    rename: (word) => {
      const node = byWord.get(word);
      if (node === undefined) unknown.add(word);
      return node?.name ?? word;
    },
  });
  if (unknown.size > 0) throw unknownNodes([...unknown], candidates);
  return nodeset;
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
