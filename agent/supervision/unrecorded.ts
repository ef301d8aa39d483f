/**
 * Replicas of which there is no record: their shim was killed between their start and the writing of it. They are known by their environment,
 * which names this agent's socket, their group and, in NSH_GPID, their own PID; what they start has another PID.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readStart } from '../../src/cluster/this-machine.ts';
import { localPid, toGpid, type NodeId } from '../../src/ids/gpid.ts';

export interface Unrecorded {
  readonly pid: number;
  /** Ticks, as in proc_pid_stat(5). */
  readonly start: number;
  /** `GROUP/SLOT`. */
  readonly name: string;
}

/** Those whose shim has gone; one that has just been started is still the child of its own. */
export function findUnrecorded(node: NodeId, agentSocket: string): Unrecorded[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const valueOf = (variable: string): string | undefined =>
        environment.find((each) => each.startsWith(`${variable}=`))?.slice(variable.length + 1);
      if (valueOf('NSH_GPID') !== String(toGpid(node, localPid(pid)))) return [];
      const group = valueOf('NSH_GROUP');
      const start = readStart(pid);
      const isOurs = valueOf('NSH_SOCKET') === agentSocket && group !== undefined && start !== undefined;
      return isOurs && !isChildOfShim(pid) ? [{ pid, start, name: `${group}/${valueOf('NSH_REPLICA')}` }] : [];
    } catch {
      return []; // It has ended, or is another user's.
    }
  });
}

function isChildOfShim(pid: number): boolean {
  const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return readFileSync(`/proc/${parent}/comm`, 'latin1').trim() === 'nsh-shim';
}
