/** Where `nsh run` runs: the nodes that were named, or the least loaded one. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { everyNode } from '../../src/cluster/every-node.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { chooseNode, type Candidate } from '../../src/policy/placement/choose-node.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { namedNodes } from '../nodeset/named-nodes.ts';
import type { RunOptions } from './options.ts';

/** @throws NshError `unknownNode`, `nodeset`; `unreachable` where no node answers. */
export async function chooseNodes(
  client: ClusterClient,
  options: Pick<RunOptions, 'nodeset' | 'everyNode'>,
  signal: AbortSignal,
): Promise<readonly NodeSpec[]> {
  if (options.nodeset !== undefined) return await namedNodes(client, options.nodeset, signal);
  const nodes = everyNode(client);
  if (options.everyNode || nodes.length === 1) return nodes;
  return [await placeOne(client, signal)];
}

/** From the first answer on, other nodes have so long to be considered: one that stands still is no place to run on anyway. */
const considerMs = 1_000;

async function placeOne(client: ClusterClient, signal: AbortSignal): Promise<NodeSpec> {
  const enough = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const candidates: Candidate<NodeSpec>[] = [];
  const failures: string[] = [];
  for await (const { node, result, error } of client.fanout(
    client.nodes,
    'info',
    {},
    { signal: AbortSignal.any([signal, enough.signal]) },
  )) {
    if (error === undefined) {
      candidates.push({ node, info: result });
      timer ??= setTimeout(() => enough.abort(new NshError('cancelled', 'a node was found')), considerMs);
    } else failures.push(error.message.startsWith(`${node.name}:`) ? error.message : `${node.name}: ${error.message}`);
  }
  clearTimeout(timer);
  const chosen = chooseNode(candidates, Math.random);
  if (chosen !== undefined) return chosen;
  if (signal.aborted) throw signal.reason instanceof NshError ? signal.reason : new NshError('cancelled', 'broken off');
  throw new NshError('unreachable', ['no node of the cluster answers', ...failures].join('\n'));
}
