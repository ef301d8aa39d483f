/** What commands make of the cluster of record: how it differs from the cluster file that they read, and what stands in for it at first. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import {
  compareNodes,
  recordChange,
  toRecorded,
  type NodeDifference,
  type RecordedNode,
  type SeenRecord,
} from '../../src/coordination/cluster-record.ts';
import type { Compare, Op } from '../../src/store/store.ts';
import { nearHost } from './who.ts';

/** The nodes of the cluster file, as the record would have them. */
export function localNodes({ nodes }: Pick<ClusterClient, 'nodes'>): RecordedNode[] {
  return toRecorded(nodes);
}

/** `+ web4 (4) [gpu]`, `- web3 (3) [gpu]`, `~ web2 (2): labels [a] -> [b]`: a line each. */
export function describeDifference({ id, was, is }: NodeDifference): string {
  if (was === undefined) return `+ ${describeNode(is ?? { id, name: '?', labels: [] })}`;
  if (is === undefined) return `- ${describeNode(was)}`;
  const name = was.name === is.name ? [] : [`name ${was.name} -> ${is.name}`];
  const labels = was.labels.join(' ') === is.labels.join(' ') ? [] : [`labels ${list(was)} -> ${list(is)}`];
  return `~ ${was.name} (${id}): ${[...name, ...labels].join(', ')}`;
}

function describeNode(node: RecordedNode): string {
  return `${node.name} (${node.id})${node.labels.length === 0 ? '' : ` ${list(node)}`}`;
}

function list({ labels }: RecordedNode): string {
  return `[${labels.join(', ')}]`;
}

const maxNamed = 3;

/** One line for people, undefined where there is nothing to tell. */
export function reportDifference(client: Pick<ClusterClient, 'nodes' | 'spec'>, seen: SeenRecord): string | undefined {
  if (seen.record === undefined) return undefined;
  const differences = compareNodes(seen.record.nodes, localNodes(client));
  if (differences.length === 0) return undefined;
  const named = differences.slice(0, maxNamed).map(({ was, is }) => {
    const name = (is ?? was)?.name ?? '';
    return was === undefined ? `${name} is new` : is === undefined ? `${name} is missing` : `${name} is changed`;
  });
  const more = differences.length > maxNamed ? `, and ${differences.length - maxNamed} more` : '';
  const file = client.spec.file?.path ?? 'this machine, which is a cluster by itself,';
  return (
    `${file} differs from the cluster of record (${named.join(', ')}${more}), and the agents go by the record: ` +
    "'nsh cluster diff' shows how, 'nsh cluster apply' makes the record like the file"
  );
}

/** Where there is no record yet, the first command that has agents act makes one of its cluster file; nothing where there is one. */
export function firstRecord(
  client: Pick<ClusterClient, 'nodes' | 'self'>,
  seen: SeenRecord,
): { readonly compares: readonly Compare[]; readonly ops: readonly Op[] } {
  if (seen.record !== undefined) return { compares: [], ops: [] };
  const { compare, put } = recordChange(seen, localNodes(client), { by: nearHost(client), atMs: Date.now() });
  return { compares: [compare], ops: [put] };
}
