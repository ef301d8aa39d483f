/**
 * Leaving nothing behind. `cleanUp` ends what the demo started and removes what it wrote; the janitor is a small process that
 * does the same where the demo itself was killed and could not.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath } from '../../src/cluster/file/cache.ts';
import { greet, localhost, openUnixSocket } from '../../src/cluster/own-agent.ts';
import { clusterDirectory, nodePaths, type Environment } from '../../src/cluster/paths.ts';
import { selfNode } from '../../src/ids/gpid.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';
import { callMethod } from '../../src/rpc/typed.ts';
import { endLeftovers } from './leftovers.ts';
import { clusterName } from './workspace.ts';

/**
 * @param env of the person, which says where the agent of this machine keeps its state
 * @returns the PIDs that could not be ended; none, unless a process hangs in the kernel.
 */
export async function cleanUp(directory: string, env: Environment): Promise<readonly number[]> {
  const cluster = clusterName(directory);
  const paths = nodePaths(env, cluster, selfNode);
  await stopOwnAgent(cluster, paths.agentSocket, env);
  const left = await endLeftovers(directory);
  const cached = cachePath(join(directory, 'cluster.yaml'), env);
  for (const path of [clusterDirectory(env, cluster), paths.sockets, cached, directory]) {
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
  }
  return left;
}

/** Asks the agent of this machine to end with all that it runs; where none was started there is nothing to ask. */
async function stopOwnAgent(cluster: string, socketPath: string, env: Environment): Promise<void> {
  const socket = await openUnixSocket(socketPath).catch(() => undefined);
  if (socket === undefined) return;
  const peer = new RpcPeer(socket, { name: 'the agent of this machine' });
  try {
    await greet(peer, { cluster, agentCommand: '', nodes: [] }, localhost, { env });
    await callMethod(peer, 'stop', { kill: true }, { deadlineMs: 12_000 });
  } catch {
    // It does not answer: it is ended with what else is left.
  } finally {
    peer.close();
  }
}

/** For so long the demo waits for the janitor to be gone. */
const goneDeadlineMs = 1_000;

export interface Janitor {
  /** All is clean: it has nothing to do. Resolves when it has gone, after a second at most. */
  dismiss(): Promise<void>;
}

/** Waits for a word on its standard input; where the end comes first the demo was killed, and it runs `program`. */
export function hireJanitor(program: readonly string[], env: Environment): Janitor {
  const child = spawn('sh', ['-c', 'read -r word || exec "$@"', 'nsh-demo-janitor', ...program], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    env: { ...env },
  });
  child.on('error', () => {
    // There is no sh: the demo still cleans up itself.
  });
  child.stdin.on('error', () => {
    // It was killed: likewise.
  });
  child.unref();
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    dismiss: async () => {
      child.stdin.end('done\n');
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, goneDeadlineMs);
      });
      await Promise.race([gone, late]);
      clearTimeout(timer);
    },
  };
}
