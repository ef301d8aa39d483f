/** The link to a node, over the transport that the cluster file names. Transports are loaded when they are needed: ssh2 is heavy. */
import type { Link, LinkContext } from './link.ts';
import type { LinkTarget } from './target.ts';

/** @throws NshError: see connectSsh; the same codes for every transport. */
export async function connectLink(target: LinkTarget, context: LinkContext): Promise<Link> {
  if (target.node.transport === 'openssh') {
    const { connectOpenssh } = await import('./openssh/index.ts');
    return connectOpenssh(target, context);
  }
  const { connectSsh } = await import('./ssh/index.ts');
  return connectSsh(target, context);
}
