/**
 * Leaving nothing behind. `cleanUp` ends what the demo started and removes what it wrote; the janitor is a small process that
 * does the same where the demo itself was killed and could not.
 */
import { spawn } from 'node:child_process';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cachePath } from '../../src/cluster/file/cache.ts';
import { greet, localhost } from '../../src/cluster/own-agent.ts';
import { clusterDirectory, nodePaths, type Environment } from '../../src/cluster/paths.ts';
import { readStart, runsSince } from '../../src/cluster/this-machine.ts';
import { selfNode } from '../../src/ids/gpid.ts';
import { openUnixSocket } from '../../src/link/unix-socket.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';
import { callMethod } from '../../src/rpc/typed.ts';
import { endLeftovers } from './leftovers.ts';
import { clusterName } from './workspace.ts';

/**
 * @param env of the person, which says where the agent of this machine keeps its state
 * @param program what the demo ran when it was killed
 * @returns the PIDs that could not be ended; none, unless a process hangs in the kernel.
 */
export async function cleanUp(directory: string, env: Environment, program?: ProgramRef): Promise<readonly number[]> {
  if (program !== undefined) await endProgram(program);
  const cluster = clusterName(directory);
  const paths = nodePaths(env, cluster, selfNode);
  await stopOwnAgent(cluster, paths.agentSocket, env);
  const left = await endLeftovers(directory);
  const cached = cachePath(join(directory, 'cluster.yaml'), env);
  for (const path of [clusterDirectory(env, cluster), paths.sockets, cached, directory]) {
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
  }
  // Whoever has never used nsh before has no directory of it afterwards.
  for (const path of [dirname(clusterDirectory(env, cluster)), dirname(cached)]) {
    await rmdir(path).catch(() => undefined);
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

/** One incarnation of a PID. */
export interface ProgramRef {
  readonly pid: number;
  readonly start: number;
}

/** `PID START`, as the janitor is told of it; undefined for anything else. */
export function parseProgram([pid, start]: readonly string[]): ProgramRef | undefined {
  const isNumber = (word: string | undefined): boolean => word !== undefined && /^\d+$/.test(word);
  return isNumber(pid) && isNumber(start) ? { pid: Number(pid), start: Number(start) } : undefined;
}

/** For so long a program may end by itself; an interactive shell does on SIGHUP, and leaves the terminal as it was. */
const programMercyMs = 1_000;

async function endProgram({ pid, start }: ProgramRef): Promise<void> {
  const end = performance.now() + programMercyMs;
  const tell = (name: NodeJS.Signals): void => {
    try {
      if (runsSince(pid, start)) process.kill(pid, name);
    } catch {
      // ESRCH: it has just ended.
    }
  };
  for (const name of ['SIGHUP', 'SIGTERM', 'SIGCONT'] as const) tell(name);
  while (runsSince(pid, start) && performance.now() < end) await delay(20);
  tell('SIGKILL');
}

/** For so long the demo waits for the janitor to be gone. */
const goneDeadlineMs = 1_000;

export interface Janitor {
  /** The program that is to end with the demo; undefined: none any more. */
  watch(pid: number | undefined): void;
  /** All is clean: it has nothing to do. Resolves when it has gone, after a second at most. */
  dismiss(): Promise<void>;
}

/** Keeps the last line that it reads, and ends at the word `done`; where the input ends before that the demo was killed. */
const waiting = 'running=; while read -r word; do [ "$word" = done ] && exit; running=$word; done; exec "$@" $running';

/** Where the demo is killed it runs `program`, with PID and start of what the demo ran behind it. */
export function hireJanitor(program: readonly string[], env: Environment): Janitor {
  const child = spawn('sh', ['-c', waiting, 'nsh-demo-janitor', ...program], {
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
    watch: (pid) => {
      const start = pid === undefined ? undefined : readStart(pid);
      child.stdin.write(start === undefined ? '\n' : `${pid} ${start}\n`);
    },
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
