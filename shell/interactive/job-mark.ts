/** How a shell marks what it starts as its jobs, and knows whose shell has gone. */
import { bootIdentity, readStart } from '../../src/cluster/this-machine.ts';
import type { JobMark } from '../../src/protocol/process.ts';

const longestText = 4096;

export function jobMark(text: string, token: string): JobMark {
  return { text: text.trim().slice(0, longestText), token, owner: ownerKey(process.pid) };
}

/** `BOOT:PID:TICKS`, which is no other process's, now or later. */
function ownerKey(pid: number): string {
  return `${bootIdentity()}:${pid}:${readStart(pid) ?? 0}`;
}

/** Whether the shell that such a key names still runs on this machine. */
export function ownerRuns(owner: string): boolean {
  const pid = Number(owner.split(':')[1]);
  return Number.isSafeInteger(pid) && pid > 0 && readStart(pid) !== undefined && ownerKey(pid) === owner;
}

/** Whether it was a shell of this machine, as it is booted now. */
export function isOfThisMachine(owner: string): boolean {
  return owner.startsWith(`${bootIdentity()}:`);
}
