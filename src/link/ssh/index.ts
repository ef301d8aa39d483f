/** Links over ssh2. Loaded on demand: ssh2 is heavy. */
import type { Link, LinkContext } from '../link.ts';
import type { LinkTarget } from '../target.ts';
import { connectHost } from './connect-host.ts';
import { loadSettings } from './config-source.ts';
import { enterKeyRing } from './key-ring.ts';
import { SshLink } from './ssh-link.ts';

const reconnectDeadlineMs = 60_000;

/**
 * Connects to a node's sshd as the person's own `ssh` would: its configuration, known_hosts, keys, ssh-agent and prompts.
 * @throws NshError `unreachable`, `authFailed`, `hostKeyChanged`, `hostKeyUnknown`, `unsupported`, `timeout`, `cancelled`.
 */
export async function connectSsh({ spec, node }: LinkTarget, context: LinkContext): Promise<Link> {
  const leaveKeyRing = enterKeyRing();
  try {
    const settings = await loadSettings({
      node: node.name,
      host: node.host ?? node.name,
      configFile: spec.sshConfig,
      user: node.user,
      port: node.port,
      identityFile: node.identityFile,
    });
    const request = { label: node.name, settings, configFile: spec.sshConfig, via: [] };
    const connection = await connectHost({ ...request, context });
    const { onStage: _onStage, ...later } = context;
    return new SshLink({
      node: node.name,
      agentCommand: spec.agentCommand,
      connection,
      // The signal was for the first login; this one may come much later.
      reconnect: () =>
        connectHost({
          ...request,
          context: { ...later, signal: AbortSignal.timeout(reconnectDeadlineMs) },
          forSessions: true,
        }),
    });
  } finally {
    leaveKeyRing();
  }
}
