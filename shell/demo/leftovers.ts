/**
 * The processes that belong to one demo, found in /proc by what they were started with: those of its nodes have their state
 * in its directory, those that nsh ran on this machine name its agent's socket, and that agent and its shim carry the
 * cluster's name on their command line. A program that COMMAND left running on this machine is the person's own and stays.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { clusterName } from './workspace.ts';

export interface ProcessImage {
  readonly cmdline: readonly string[];
  readonly environ: readonly string[];
}

export function belongsToDemo({ cmdline, environ }: ProcessImage, directory: string): boolean {
  const cluster = clusterName(directory);
  if (environ.some((entry) => entry.startsWith(`XDG_STATE_HOME=${directory}/`))) return true;
  if (environ.some((entry) => entry.startsWith('NSH_SOCKET=') && entry.includes(`/${cluster}/`))) return true;
  if (!/^nsh-(agent|shim|screen)\b/.test(cmdline[0] ?? '')) return false;
  return cmdline.some((word) => word.includes(cluster));
}

export function findLeftovers(directory: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    const image = readImage(pid);
    return pid !== process.pid && image !== undefined && belongsToDemo(image, directory);
  });
}

/** Ends them, politely at first; what is left after the deadline is in no state to be killed. */
export async function endLeftovers(
  directory: string,
  politeMs = 1_000,
  deadlineMs = 5_000,
): Promise<readonly number[]> {
  const started = performance.now();
  for (;;) {
    const left = findLeftovers(directory);
    const elapsed = performance.now() - started;
    if (left.length === 0 || elapsed > deadlineMs) return left;
    for (const pid of left) signal(pid, elapsed < politeMs ? 'SIGTERM' : 'SIGKILL');
    await delay(20);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // ESRCH: it has just ended.
  }
}

function readImage(pid: number): ProcessImage | undefined {
  const words = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1').split('\0');
  try {
    return { cmdline: words('cmdline'), environ: words('environ') };
  } catch {
    // Another user's, a kernel thread, or gone: not of this demo.
    return undefined;
  }
}
