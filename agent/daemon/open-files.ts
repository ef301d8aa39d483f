/**
 * The soft limit of open files that processes of this user have. Node raises its own to the hard limit when it starts, and children would
 * inherit that: programs that close every descriptor up to the limit, or use select(2), fare badly with a million.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** Of the nearest ancestor that is no Node; undefined where none can be read. */
export function inheritedOpenFiles(pid: number = process.ppid): number | undefined {
  try {
    if (readlinkSync(`/proc/${pid}/exe`) === process.execPath) return inheritedOpenFiles(parentOf(pid));
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    // It has gone, or is another user's (sudo): the shim keeps the limit it has.
    return undefined;
  }
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
