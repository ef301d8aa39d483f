/** All nodes, for commands that were given none. */
import { NshError } from '../protocol/errors.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { NodeSpec } from './node-spec.ts';

/** @throws NshError `clusterFile` where the file names none: nothing could ever be done there. */
export function everyNode({ nodes, spec }: Pick<ClusterClient, 'nodes' | 'spec'>): readonly NodeSpec[] {
  if (nodes.length > 0) return nodes;
  throw new NshError(
    'clusterFile',
    `${spec.file?.path ?? 'the cluster file'}: the cluster file names no nodes; add some under 'nodes:', such as {id: 1, name: web1}`,
  );
}
