/** `nsh-agent start`: makes sure that this node's agent serves, and says where. Run through ssh, behind a marker. */
import { createConnection } from 'node:net';
import { checkPrivateDirectory, nodePaths } from '../src/cluster/paths.ts';
import { startAgent, type AgentIdentity } from '../src/cluster/start-agent.ts';
import { NshError, toNshError, toWireError } from '../src/protocol/errors.ts';
import { programVersion, protocolVersions } from '../src/protocol/version.ts';
import { RpcPeer } from '../src/rpc/peer.ts';
import { callMethod } from '../src/rpc/typed.ts';
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
    report = { ok: true, version: programVersion, socket: await ensureAgent(identity, options) };
  } catch (error) {
    const { code, message, data } = toWireError(error);
    report = { ok: false, error: { code, message, ...(data === undefined ? {} : { data: { ...data } }) } };
  }
  process.stdout.write(`${marker === undefined ? '' : `${marker} `}${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}

async function ensureAgent(identity: AgentIdentity, options: StartCommandOptions): Promise<string> {
  const { agentSocket, sockets } = nodePaths(process.env, identity.cluster, identity.node);
  const running = await versionOfRunning(identity, sockets, agentSocket);
  if (running === programVersion) return agentSocket;
  if (options.onlyRunning) {
    if (running !== undefined) return agentSocket;
    throw new NshError('noAgent', 'no agent runs here', { data: { notRunning: true } });
  }
  // After an upgrade of the program the agent of the old version goes; what it ran stays with its shim.
  if (running !== undefined) await stopRunning(identity, agentSocket);
  try {
    await startAgent(identity, { env: process.env, options: options.agentOptions });
  } catch (error) {
    // Another start was quicker: its agent is as good.
    if (toNshError(error).data?.['running'] !== true) throw error;
  }
  return agentSocket;
}

/** Version of the agent that serves; undefined where none does. @throws NshError `wrongNode` and others that it answers. */
async function versionOfRunning(identity: AgentIdentity, sockets: string, path: string): Promise<string | undefined> {
  const peer = await openPeer(sockets, path);
  if (peer === undefined) return undefined;
  try {
    return (await greet(peer, identity)).version;
  } finally {
    peer.close();
  }
}

async function stopRunning(identity: AgentIdentity, path: string): Promise<void> {
  const peer = await openPeer(undefined, path);
  if (peer === undefined) return;
  await greet(peer, identity);
  await callMethod(peer, 'stop', {}, { deadlineMs: 5_000 });
  await Promise.race([peer.closed, new Promise((resolve) => setTimeout(resolve, 5_000))]);
}

function greet(peer: RpcPeer, { cluster, node }: AgentIdentity) {
  return callMethod(
    peer,
    'hello',
    { protocol: protocolVersions, cluster, node, version: programVersion },
    { deadlineMs: 5_000 },
  );
}

async function openPeer(sockets: string | undefined, path: string): Promise<RpcPeer | undefined> {
  try {
    if (sockets !== undefined) checkPrivateDirectory(sockets);
    const socket = createConnection({ path });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RpcPeer(socket, { name: 'the running agent' });
  } catch (error) {
    if (error instanceof NshError) throw error;
    // Nothing listens there: it has to be started.
    return undefined;
  }
}
