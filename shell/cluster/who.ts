/** Who does something, for those who look later: `USER@NODE`. */
import { hostname, userInfo } from 'node:os';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';

/** A machine that is no node of the cluster has its host name. */
export function nearHost({ nodes, self }: Pick<ClusterClient, 'nodes' | 'self'>): string {
  const node = nodes.some(({ id }) => id === self.id) ? self.name : hostname();
  return `${userName()}@${node}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '?'); // A user without an entry in passwd(5).
  }
}
