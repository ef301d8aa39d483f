/** How wide columns of PIDs are: as the largest PID of the nodes shown needs, so that a column does not change from call to call. */
import { readFileSync } from 'node:fs';
import { maxLocalPid, toGpid } from '../../src/ids/gpid.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';

/** As procps: no less than the headings. */
const fewestDigits = 5;

export function pidDigits(nodes: readonly NodeSpec[]): number {
  const largest = Math.max(0, ...nodes.map((node) => toGpid(node.id, maxLocalPid)));
  if (largest > maxLocalPid) return String(largest).length;
  return Math.max(fewestDigits, localPidDigits());
}

/** On node 0 PIDs are the kernel's own, which stay below pid_max. */
function localPidDigits(): number {
  try {
    return String(Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1')) - 1).length;
  } catch {
    return String(maxLocalPid).length; // no /proc/sys: as wide as they can get
  }
}
