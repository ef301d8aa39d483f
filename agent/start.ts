/** `nsh-agent start`: makes sure that this node's agent serves, and says where. Run through ssh, behind a marker. */
import { checkPrivateDirectory, nodePaths, type NodePaths } from '../src/cluster/paths.ts';
import { ensureAgent, type AgentIdentity } from '../src/cluster/start-agent.ts';
import { isReplaced, programBuild } from '../src/cluster/programs.ts';
import { hasShim } from '../src/cluster/shim-file.ts';
import { openUnixSocket } from '../src/link/unix-socket.ts';
import { NshError, toNshError, toWireError } from '../src/protocol/errors.ts';
import { programVersion, protocolVersions } from '../src/protocol/version.ts';
import { RpcPeer } from '../src/rpc/peer.ts';
import { callMethod } from '../src/rpc/typed.ts';
import { endHolder } from './daemon/lock.ts';
import type { StartReport } from './daemon/start-remote.ts';

export interface StartCommandOptions {
  /** Options for the daemon. */
  readonly agentOptions: readonly string[];
  /** Word before the report. */
  readonly marker: string | undefined;
  /** Report an agent that does not run instead of starting it. */
  readonly onlyRunning: boolean;
}

/** @returns 0 where the agent serves, else 1; the report says why. */
export async function start(identity: AgentIdentity, options: StartCommandOptions): Promise<number> {
  const { marker } = options;
  let report: StartReport;
  try {
    report = { ok: true, version: programVersion, socket: await serve(identity, options) };
  } catch (error) {
    const { code, message, data } = toWireError(error);
    report = { ok: false, error: { code, message, ...(data === undefined ? {} : { data: { ...data } }) } };
  }
  process.stdout.write(`${marker === undefined ? '' : `${marker} `}${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}

async function serve(identity: AgentIdentity, options: StartCommandOptions): Promise<string> {
  const paths = nodePaths(process.env, identity.cluster, identity.node);
  const running = await versionOfRunning(identity, paths);
  if (options.onlyRunning) {
    if (running !== undefined) return paths.agentSocket;
    throw new NshError('noAgent', 'no agent runs here', { data: { notRunning: true, hasShim: hasShim(paths) } });
  }
  // After an upgrade of the program the agent of the old version goes; what it ran stays with its shim.
  if (running !== undefined && running !== programVersion) await endHolder(paths.agentLock);
  const startOptions = { env: process.env, options: options.agentOptions };
  await ensureAgent(identity, startOptions, async () =>
    (await versionOfRunning(identity, paths)) === programVersion ? true : undefined,
  );
  return paths.agentSocket;
}

/**
 * Version of the agent that serves; undefined where none does. One that speaks another protocol still says that it is there.
 * @throws NshError `wrongNode` and others that it answers.
 */
async function versionOfRunning(
  identity: AgentIdentity,
  { sockets, agentSocket }: NodePaths,
): Promise<string | undefined> {
  const peer = await openPeer(sockets, agentSocket);
  if (peer === undefined) return undefined;
  try {
    const { version, build } = await greet(peer, identity);
    return isReplaced(build, programBuild()) ? `${version}, replaced` : version;
  } catch (error) {
    const { code } = toNshError(error);
    if (code === 'protocolMismatch') return 'of another protocol';
    // It was just ending.
    if (code === 'linkLost') return undefined;
    throw error;
  } finally {
    peer.close();
  }
}

function greet(peer: RpcPeer, { cluster, node }: AgentIdentity) {
  return callMethod(
    peer,
    'hello',
    { protocol: protocolVersions, cluster, node, version: programVersion },
    { deadlineMs: 5_000 },
  );
}

async function openPeer(sockets: string, path: string): Promise<RpcPeer | undefined> {
  try {
    checkPrivateDirectory(sockets);
    return new RpcPeer(await openUnixSocket(path), { name: 'the running agent' });
  } catch (error) {
    if (error instanceof NshError) throw error;
    // Nothing listens there: it has to be started.
    return undefined;
  }
}
