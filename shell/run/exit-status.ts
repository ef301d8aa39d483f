/** How a process ended, as an exit status of nsh and in words. Pure. */
import { findSignal } from '../../src/ids/signals.ts';
import type { ExitStatus } from '../../src/protocol/process.ts';

/** The link failed, or nobody knows how the process ended. */
export const linkFailedStatus = 255;

/** As POSIX has it: the exit code, or 128 + the signal. */
export function exitStatusOf(status: ExitStatus): number {
  if (status.signal !== null) return 128 + (findSignal(status.signal) ?? 0);
  return status.code ?? linkFailedStatus;
}

/** `exited with status 1`, `was ended by SIGTERM`, or why that is not known and what can be done. */
export function describeExit(status: ExitStatus, gpid: number): string {
  if (status.signal !== null) return `was ended by ${status.signal}`;
  if (status.code !== null) return `exited with status ${status.code}`;
  if (status.runsOn === true)
    return `runs on without nsh, and how it ends will not be known: ${status.lost ?? ''}; 'nsh kill ${gpid}' ends it`;
  return `ended, and its exit status is not known: ${status.lost ?? 'the record is gone'}`;
}

/** What nsh itself ends with after a signal. */
export function signalStatus(name: string): number {
  return 128 + (findSignal(name) ?? 2);
}
