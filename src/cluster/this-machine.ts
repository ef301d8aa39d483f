/** What identifies this machine and its processes across reboots, read from /proc (proc(5)). */
import { readFileSync, writeFileSync } from 'node:fs';
import { NshError } from '../protocol/errors.ts';

/** Start of a process in clock ticks since boot (field 22 of /proc/PID/stat); undefined where there is no such process. */
export function readStart(pid: number): number | undefined {
  const fields = readStat(pid);
  return fields === undefined ? undefined : Number(fields[19]);
}

/** Whether that very process still runs. One that has ended but was not reaped (a zombie) does nothing any more. */
export function runsSince(pid: number, start: number): boolean {
  const fields = readStat(pid);
  return fields !== undefined && Number(fields[19]) === start && !/^[ZXx]$/.test(fields[0] ?? '');
}

/** State of a process (field 3): `R`, `S`, `T` where a signal has stopped it, …; undefined where there is no such process. */
export function readState(pid: number): string | undefined {
  return readStat(pid)?.[0];
}

/** Session id of a process (field 6). */
export function readSession(pid: number): number | undefined {
  const fields = readStat(pid);
  return fields === undefined ? undefined : Number(fields[3]);
}

/** Fields of stat from the third (state) on: what precedes is the PID and the name, which may hold anything. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // ENOENT or ESRCH: it has ended, which is the answer.
    return undefined;
  }
}

let known: string | undefined;

/**
 * `boot_id` and the start of PID 1: two boots differ, and so do two containers of one boot.
 * @throws NshError `internal` where /proc is not there.
 */
export function bootIdentity(): string {
  if (known !== undefined) return known;
  const start = readStart(1);
  if (start === undefined) throw new NshError('internal', '/proc/1/stat cannot be read: nsh needs a mounted /proc');
  known = `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}-${start}`;
  return known;
}

/** The name that `ps -e` and `pgrep` show for this process, up to 15 bytes (comm, proc(5)); its arguments stay readable. */
export function setCommandName(name: string): void {
  try {
    writeFileSync('/proc/self/comm', name);
  } catch {
    // A read-only /proc: it is shown as node then.
  }
}
