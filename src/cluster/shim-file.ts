/** `shims/SHIM/shim.json`, which a shim writes when it serves: whether it lives can be told without asking it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodePaths } from './paths.ts';
import { runsSince } from './this-machine.ts';

/** PID of the shim whose directory this is; undefined where it has ended. */
export function shimPid(directory: string): number | undefined {
  const path = join(directory, 'shim.json');
  if (!existsSync(path)) return undefined;
  const { pid, startTicks } = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; startTicks: number };
  return runsSince(pid, startTicks) ? pid : undefined;
}

/** Whether a shim of the node runs on this machine, agent or no agent. */
export function hasShim({ shims }: Pick<NodePaths, 'shims'>): boolean {
  return existsSync(shims) && readdirSync(shims).some((id) => shimPid(join(shims, id)) !== undefined);
}
