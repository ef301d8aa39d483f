/** Members of a process group, for signals that go to all of them. */
import { readBytes } from './read-file.ts';
import { listPids } from './machine.ts';
import { StatLine, statField } from './stat-line.ts';

export interface GroupMember {
  readonly pid: number;
  /** Start ticks. */
  readonly start: number;
}

export function processGroupMembers(pgid: number): GroupMember[] {
  const line = new StatLine();
  const members: GroupMember[] = [];
  for (const pid of listPids()) {
    const bytes = readBytes(`/proc/${pid}/stat`, 4096);
    if (bytes === undefined || !line.parse(bytes.buffer, bytes.length)) continue;
    if (line.fields[statField.pgrp] === pgid) members.push({ pid, start: line.fields[statField.start] ?? 0 });
  }
  return members;
}
