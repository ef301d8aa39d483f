/** How a replica ended, and whether that is to be repaired: the exit reasons of OTP in terms of Unix processes. */
import { formatDuration } from '../../ids/quantities.ts';
import type { GroupSpec } from './spec.ts';

export type End =
  /** `note`: what is known of why, for people. */
  | { readonly kind: 'exited'; readonly code: number; readonly note?: string }
  /** Name without `SIG`. */
  | { readonly kind: 'signalled'; readonly signal: string; readonly note?: string }
  /** It was ended since it did not become ready in time. */
  | { readonly kind: 'notReady'; readonly afterMs: number }
  /** It could not be started: no such command, no such directory, no memory. */
  | { readonly kind: 'notStarted'; readonly why: string }
  /** Nobody saw how: its shim was killed, or `withMachine`: that went down, with all that ran there. */
  | { readonly kind: 'lost'; readonly why: string; readonly withMachine?: true };

/**
 * OTP's `normal` and `shutdown`: exit status 0, and death by the group's own stop signal, which is how others ask it to end, too. A
 * program that catches the signal and exits with 128 + its number has not ended normally.
 */
export function isNormalEnd(end: End, stopSignal: string): boolean {
  if (end.kind === 'exited') return end.code === 0;
  return end.kind === 'signalled' && end.signal === stopSignal;
}

/** A restart that counts against the intensity. A machine that goes down takes all of a group that it has: that is not the program's doing. */
export function isCounted(end: End): boolean {
  return end.kind !== 'lost' || end.withMachine !== true;
}

/** Of a replica that ended without being asked to by its supervisor. */
export function isToBeRestarted(end: End, { restart, stopSignal }: Pick<GroupSpec, 'restart' | 'stopSignal'>): boolean {
  switch (restart) {
    case 'permanent':
      return true;
    case 'transient':
      return !isNormalEnd(end, stopSignal);
    default:
      return false;
  }
}

/** `exited with status 1`: the subject is the replica. */
export function describeEnd(end: End): string {
  switch (end.kind) {
    case 'exited':
      return `exited with status ${end.code}${noteOf(end)}`;
    case 'signalled':
      return `was ended by SIG${end.signal}${noteOf(end)}`;
    case 'notReady':
      return `was not ready after ${formatDuration(end.afterMs)}`;
    case 'notStarted':
      return `could not be started (${end.why})`;
    default:
      return `ended unseen (${end.why})`;
  }
}

function noteOf({ note }: { readonly note?: string }): string {
  return note === undefined ? '' : ` (${note})`;
}
