/**
 * The nodes that a nodeset names, where `@web` may be a group of processes: its nodes stand in the store, which is asked only where a
 * word behind `@` is no label.
 */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { groupsNamed, labelReading, resolveNodes, type KnownNodes } from '../../src/cluster/file/resolve-nodes.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';

/**
 * In the order of the cluster, each once.
 * @throws NshError as `resolveNodes`; `nodeset` also where the store, which knows of groups, cannot be asked.
 */
export async function namedNodes(client: ClusterClient, nodeset: string, signal: AbortSignal): Promise<NodeSpec[]> {
  const { nodes, self } = client;
  const connect = (): Promise<ClusterClient> => Promise.resolve(client);
  return resolveNodes(nodeset, { nodes, self, ...(await groupsFor(connect, nodes, [nodeset], signal)) });
}

/** What `KnownNodes` is to have beside the nodes, so that these texts can be read. @throws NshError `nodeset` */
export async function groupsFor(
  connect: () => Promise<ClusterClient>,
  nodes: readonly NodeSpec[],
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Pick<KnownNodes, 'groups'>> {
  const names = [...new Set(texts.flatMap((text) => groupsNamed(text, nodes)))];
  if (names.length === 0) return {};
  const [{ readGroups }, { whereGroupsRun }] = await Promise.all([
    import('../../src/coordination/groups/snapshot.ts'),
    import('../../src/coordination/groups/where.ts'),
  ]);
  try {
    const client = await connect();
    const store = await client.store(signal);
    try {
      return { groups: whereGroupsRun(await readGroups(store, { signal }), names) };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw unanswered(names, nodes, error);
  }
}

function unanswered(names: readonly string[], nodes: readonly NodeSpec[], error: unknown): NshError {
  const { explainLabel } = labelReading({ nodes });
  const labels = names.map((name) => `no node has the label ${quoteText(name)}${explainLabel(name)}`);
  const told = `${labels.join('\n')}\nwhich groups there are cannot be told: ${toNshError(error).message}`;
  return new NshError('nodeset', told, { cause: error });
}
