/** What `nsh nodeset` prints: a nodeset or its subsets expanded, folded or counted, or the labels of a cluster. */
import { labelsOf, namesWithLabel } from '../../src/cluster/file/resolve-nodes.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { Nodeset } from '../../src/ids/nodeset/index.ts';
import { parseRanges, RangeFault } from '../../src/ids/nodeset/ranges.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { NodesetCall } from './options.ts';

/** @throws NshError `nodeset` for a slice that is none */
export function printNodeset(nodes: Nodeset, call: NodesetCall): string {
  return subsetsOf(slice(nodes, call.slice), call)
    .map((subset) => `${printSubset(subset, call)}\n`)
    .join('');
}

function slice(nodes: Nodeset, text: string | undefined): Nodeset {
  if (text === undefined) return nodes;
  try {
    return nodes.slice(new Set([...parseRanges(text)].map(Number)));
  } catch (error) {
    if (!(error instanceof RangeFault)) throw error;
    throw new NshError('nodeset', `--slice=${text}: ${error.message}`);
  }
}

function subsetsOf(nodes: Nodeset, { contiguous, split }: NodesetCall): readonly Nodeset[] {
  if (nodes.count === 0) return [nodes];
  if (contiguous) return nodes.contiguous();
  return split === undefined || split === 1 ? [nodes] : nodes.split(split);
}

function printSubset(nodes: Nodeset, { command, format, separator, autostep }: NodesetCall): string {
  const fill = (text: string): string => format.replace(/%[s%]/g, (sign) => (sign === '%%' ? '%' : text));
  if (command === 'count') return fill(String(nodes.count));
  if (command === 'expand') return nodes.names().map(fill).join(separator);
  // A format makes other names, which fold anew.
  const filled = format === '%s' ? nodes : Nodeset.ofNames(nodes.names().map(fill));
  return filled.fold(foldOptions(autostep, filled.count));
}

function foldOptions(autostep: NodesetCall['autostep'], count: number): { autostep?: number } {
  if (autostep === undefined) return {};
  if (autostep === 'auto') return { autostep: Math.max(3, count) };
  return { autostep: 'share' in autostep ? Math.ceil(count * autostep.share) : autostep.count };
}

/** @param among only labels of these, with those nodes; undefined: all labels. */
export function printLabels(known: readonly NodeSpec[], level: number, among: Nodeset | undefined): string {
  const lines = labelsOf(known).flatMap((label) => {
    const members = Nodeset.ofNames(namesWithLabel(label, known) ?? []);
    const shown = among === undefined ? members : members.intersect(among);
    if (among !== undefined && shown.count === 0) return [];
    const count = among === undefined ? String(members.count) : `${shown.count}/${members.count}`;
    return [[`@${label}`, shown.fold(), count].slice(0, level).join(' ')];
  });
  return lines.map((line) => `${line}\n`).join('');
}
