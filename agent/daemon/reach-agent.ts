/** The agent behind a link: started where it does not run, connected to and greeted. */
import type { ClusterSpec, NodeSpec } from '../../src/cluster/node-spec.ts';
import type { Link } from '../../src/link/link.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import { programVersion, protocolVersions } from '../../src/protocol/version.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';
import { callMethod } from '../../src/rpc/typed.ts';
import { startRemoteAgent } from './start-remote.ts';

export interface ReachedAgent {
  readonly agentSocket: string;
  readonly peer: RpcPeer;
}

const maxAttempts = 3;

/**
 * An agent that ends between the word that it serves and our greeting is started again.
 * @param isUp whether the link still stands.
 * @throws NshError as startRemoteAgent, `protocolMismatch`, `wrongNode`
 */
export async function reachAgent(
  link: Link,
  target: { readonly spec: ClusterSpec; readonly node: NodeSpec },
  mayStart: boolean,
  signal: AbortSignal,
  isUp: () => boolean,
): Promise<ReachedAgent> {
  const { spec, node } = target;
  for (let attempt = 1; ; attempt++) {
    const agentSocket = await startRemoteAgent(link, target, mayStart, signal);
    let peer: RpcPeer | undefined;
    try {
      peer = new RpcPeer(await link.openSocket(agentSocket, signal), { name: node.name });
      const hello = { protocol: protocolVersions, cluster: spec.cluster, node: node.id, version: programVersion };
      await callMethod(peer, 'hello', hello, { signal });
      return { agentSocket, peer };
    } catch (error) {
      peer?.close();
      const { code } = toNshError(error);
      const hasEnded = (code === 'noAgent' || code === 'linkLost') && isUp();
      if (!hasEnded || attempt === maxAttempts || signal.aborted) throw error;
    }
  }
}
