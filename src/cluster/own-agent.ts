/** The agent of this machine: which node it is, and a control connection to it, started where none runs. */
import { readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { isNodeId, nodeId, selfNode, type NodeId } from '../ids/gpid.ts';
import { openUnixSocket } from '../link/unix-socket.ts';
import type { PromptParams, ProgressParams, Result } from '../protocol/control.ts';
import { promptParams, progressParams } from '../protocol/control.ts';
import { NshError, toNshError } from '../protocol/errors.ts';
import { maxLineBytes } from '../protocol/limits.ts';
import { programVersion, protocolVersions } from '../protocol/version.ts';
import { watchSilence } from '../rpc/heartbeat.ts';
import { RpcPeer, type PeerOptions } from '../rpc/peer.ts';
import { callMethod, check } from '../rpc/typed.ts';
import type { ClusterSpec, NodeSpec } from './node-spec.ts';
import { checkPrivateDirectory, clusterDirectory, nodePaths, type Environment } from './paths.ts';
import { isReplaced, programBuild } from './programs.ts';
import { ensureAgent } from './start-agent.ts';
import { bootIdentity, readState } from './this-machine.ts';

/** Node 0: this machine, in no cluster file. */
export const localhost: NodeSpec = { id: selfNode, name: 'localhost', labels: [] };

/** The node that this machine is: an agent that was started here by its node id has left a note under the boot identity. */
export function findSelf(spec: ClusterSpec, env: Environment): NodeSpec {
  const id = readBootNote(join(clusterDirectory(env, spec.cluster), 'boots', bootIdentity()));
  return spec.nodes.find((node) => node.id === id) ?? localhost;
}

function readBootNote(path: string): NodeId | undefined {
  try {
    const id = Number(readFileSync(path, 'latin1'));
    return isNodeId(id) && id !== 0 ? id : undefined;
  } catch {
    // No agent was started here as a node of the cluster: this machine is node 0.
    return undefined;
  }
}

export interface Caller {
  readonly env: Environment;
  /** Asks the person; absent: there is no terminal. */
  readonly prompt?: (request: PromptParams) => Promise<string>;
  readonly onProgress?: (progress: ProgressParams) => void;
  /** Before the subcommand of an agent that has to be started. */
  readonly agentOptions?: readonly string[];
  /** False: where no agent runs none is started, nor one of an older program replaced. Default true. */
  readonly mayStart?: boolean;
}

export interface OwnAgent {
  readonly peer: RpcPeer;
  readonly hello: Result<'hello'>;
}

/**
 * Connects to this machine's agent and greets it. From then on a request to which it says nothing at all ends within 10 s.
 * @throws NshError `agentFailed`, `unsafeSocket`, `protocolMismatch`, `clusterFile`, `timeout`; `noAgent` with data.notRunning
 */
export async function connectOwnAgent(
  spec: ClusterSpec,
  self: NodeSpec,
  caller: Caller,
  handlers: Pick<PeerOptions, 'onNotification' | 'onBadLine'> = {},
): Promise<OwnAgent> {
  for (let attempt = 1; ; attempt++) {
    const peer = await openOwnPeer(spec, self, caller, handlers);
    try {
      const hello = await greet(peer, spec, self, caller);
      if (attempt === 1 && caller.mayStart !== false && isReplaced(hello.build, programBuild())) {
        await endReplaced(peer);
        continue;
      }
      watchSilence(peer, () => silentAgent(spec, self, caller.env));
      return { peer, hello };
    } catch (error) {
      peer.close();
      // It was ending, or was killed, just then: the next one serves.
      if (attempt < 3 && toNshError(error).code === 'linkLost') continue;
      throw error;
    }
  }
}

/** After an upgrade the agent of the old program goes; what it runs stays with its shim. */
async function endReplaced(peer: RpcPeer): Promise<void> {
  await callMethod(peer, 'stop', {}, { deadlineMs: 5_000 });
  const late = setTimeout(() => peer.close(), 5_000);
  await peer.closed;
  clearTimeout(late);
}

/** It listens, but stands still or is overloaded. */
function silentAgent(spec: ClusterSpec, self: NodeSpec, env: Environment, cause?: unknown): NshError {
  const { agentLock } = nodePaths(env, spec.cluster, self.id);
  const pid = readPid(agentLock);
  const data = { silentAgent: pid ?? 0 };
  if (pid === undefined) return new NshError('timeout', 'the agent of this machine does not answer', { cause, data });
  const isStopped = /^[Tt]$/.test(readState(pid) ?? '');
  const hint = isStopped
    ? `it is stopped; 'kill -CONT ${pid}' lets it go on, 'kill -KILL ${pid}' ends it`
    : `it may hang; 'kill -KILL ${pid}' ends it`;
  const message = `the agent of this machine (PID ${pid}) does not answer: ${hint}, and what it runs stays`;
  return new NshError('timeout', message, { cause, data });
}

/** PID of this machine's agent, which is there but does not answer (0: not known), where that is what went wrong. */
export function silentAgentPid({ data }: NshError): number | undefined {
  const pid = data?.['silentAgent'];
  return typeof pid === 'number' ? pid : undefined;
}

function readPid(lock: string): number | undefined {
  try {
    return Number(/^\d+/.exec(readFileSync(lock, 'latin1'))?.[0] ?? NaN) || undefined;
  } catch {
    // It has just ended: the next command finds another one.
    return undefined;
  }
}

/** A connection to this machine's agent, not greeted yet. @throws NshError `agentFailed`, `unsafeSocket`; `noAgent` with data.notRunning */
export async function openOwnPeer(
  spec: ClusterSpec,
  self: NodeSpec,
  caller: Caller,
  handlers: Pick<PeerOptions, 'onNotification' | 'onBadLine'> = {},
): Promise<RpcPeer> {
  const identity = { cluster: spec.cluster, node: self.id, name: self.name };
  const options = { env: caller.env, ...(caller.agentOptions === undefined ? {} : { options: caller.agentOptions }) };
  const find = (): Promise<Socket | undefined> => openOwnSocket(spec, self, caller.env);
  const socket = caller.mayStart === false ? await find() : await ensureAgent(identity, options, find);
  if (socket === undefined)
    throw new NshError('noAgent', 'the agent of this machine does not run', { data: { notRunning: true } });
  return new RpcPeer(socket, peerOptions(caller, handlers));
}

/** A socket to this machine's agent; undefined where none listens. */
async function openOwnSocket(spec: ClusterSpec, self: NodeSpec, env: Environment): Promise<Socket | undefined> {
  const paths = nodePaths(env, spec.cluster, self.id);
  try {
    checkPrivateDirectory(paths.sockets);
    return await openUnixSocket(paths.agentSocket);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

function peerOptions(caller: Caller, handlers: Pick<PeerOptions, 'onNotification' | 'onBadLine'>): PeerOptions {
  return {
    ...handlers,
    name: 'the agent of this machine',
    maxLineBytes,
    onRequest: async (method, params) => {
      if (method !== 'prompt') throw new NshError('unknownMethod', `a client has no method ${method}`);
      const request = check(promptParams, params, 'prompt', 'invalidParams');
      if (caller.prompt === undefined) throw new NshError('authFailed', 'there is no terminal to ask on');
      return { answer: await caller.prompt(request) };
    },
    onNotification: (method, params) => {
      if (method === 'progress') caller.onProgress?.(check(progressParams, params, 'progress', 'invalidMessage'));
      else handlers.onNotification?.(method, params);
    },
  };
}

/** @throws NshError: what the agent answers; `timeout` naming it where it does not. */
export async function greet(
  peer: RpcPeer,
  spec: ClusterSpec,
  self: NodeSpec,
  caller: Caller,
): Promise<Result<'hello'>> {
  const sshAuthSock = caller.env['SSH_AUTH_SOCK'];
  const hello = {
    protocol: protocolVersions,
    cluster: spec.cluster,
    node: nodeId(self.id),
    version: programVersion,
    caller: {
      interactive: caller.prompt !== undefined,
      ...(sshAuthSock === undefined || sshAuthSock === '' ? {} : { sshAuthSock }),
    },
    ...(spec.file === undefined ? {} : { clusterFile: currentFile(spec.file) }),
  };
  try {
    return await callMethod(peer, 'hello', hello, { deadlineMs: 10_000 });
  } catch (error) {
    throw toNshError(error).code === 'timeout' ? silentAgent(spec, self, caller.env, error) : error;
  }
}

/** The file as it is now: it may have changed since this client read it. */
function currentFile(file: { readonly path: string; readonly mtimeMs: number; readonly size: number }): typeof file {
  try {
    const stat = statSync(file.path);
    return { path: file.path, mtimeMs: stat.mtimeMs, size: stat.size };
  } catch {
    // It has gone since it was read: the agent finds that out and says so.
    return file;
  }
}
