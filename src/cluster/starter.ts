/**
 * How a client calls itself when it starts a process: shown by ps, never trusted. `ps` alone selects by the same session key, so
 * whoever looks for "what this session started" takes it from here.
 */
import { hostname, userInfo } from 'node:os';
import { splitGpid, toGpid } from '../ids/gpid.ts';
import type { Starter } from '../protocol/process.ts';
import type { NodeSpec } from './node-spec.ts';
import { bootIdentity, readSession, readStart } from './this-machine.ts';

/** `BOOT:SID:TICKS`: the session (setsid(2)) of this process, told apart from a later one whose leader has the same PID. */
export function sessionKey(): string | undefined {
  const session = readSession(process.pid);
  if (session === undefined) return undefined;
  // A leader of 0 lies outside this PID namespace; one that has ended has no start any more. Both still name the session.
  return `${bootIdentity()}:${session}:${readStart(session) ?? 0}`;
}

/**
 * @param self the node that this machine is.
 * @param isCluster whether this machine is a node of the cluster: a gateway's PIDs mean nothing there.
 */
export function currentStarter(
  env: Readonly<Record<string, string | undefined>>,
  self: NodeSpec,
  isCluster: boolean,
): Starter {
  const session = sessionKey();
  return {
    gpid: managedAncestor(env) ?? (isCluster ? toGpid(self.id, process.ppid) : 0),
    user: userName().slice(0, 256),
    host: hostname().slice(0, 256),
    ...(session === undefined ? {} : { session: session.slice(0, 256) }),
  };
}

function managedAncestor(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const gpid = Number(env['NSH_GPID'] ?? '');
  return splitGpid(gpid) === undefined ? undefined : gpid;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // No entry in the user database, as in some containers: the number is what is known.
    return String(process.getuid?.() ?? '');
  }
}
