/** Tables of many nodes, and which nodes there are. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { everyNode } from '../../src/cluster/every-node.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { PsParams } from '../../src/protocol/control.ts';
import type { CommandContext } from '../command.ts';
import { gather, tellFailures } from '../gather.ts';
import type { NodeTable } from './row.ts';

export interface Collected {
  readonly tables: readonly NodeTable[];
  /** A node did not answer, and has been named on stderr. */
  readonly incomplete: boolean;
}

/** Nodes of the cluster, and this machine where it is none of them: what a name or a PID may mean. */
export function knownNodes({ nodes, self }: ClusterClient): readonly NodeSpec[] {
  return nodes.some((node) => node.id === self.id) ? nodes : [self, ...nodes];
}

/** @param command name for messages about nodes that fail. */
export async function collectTables(
  context: CommandContext,
  command: string,
  nodes: readonly NodeSpec[],
  params: PsParams,
): Promise<Collected> {
  const cluster = await context.cluster();
  const { results, failures } = await gather(cluster, nodes, 'ps', params, { signal: context.signal });
  tellFailures(context, command, failures);
  return {
    tables: results.map(({ node, result }) => ({ node, table: result })),
    incomplete: failures.length > 0,
  };
}

/** The nodes of --on, else every node of the cluster. @throws NshError `nodeset`, `unknownNode` */
export async function nodesOn(
  cluster: ClusterClient,
  nodeset: string | undefined,
  signal: AbortSignal,
): Promise<readonly NodeSpec[]> {
  if (nodeset === undefined) return everyNode(cluster);
  const { namedNodes } = await import('../nodeset/named-nodes.ts');
  return await namedNodes(cluster, nodeset, signal);
}
