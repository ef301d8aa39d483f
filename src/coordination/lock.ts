/**
 * A lock, and a read-write lock: shared holders beside each other, an exclusive one alone, all in the order in which they came, so that
 * neither kind can starve the other.
 */
import type { Hold } from './hold.ts';
import { placeOf } from './keys.ts';
import type { Participant } from './participant.ts';
import { takeTurn, type TurnOptions } from './turn.ts';

export interface LockOptions extends TurnOptions {
  /** Beside other shared ones; default false: alone. */
  readonly shared?: boolean;
}

/** @returns undefined where `timeoutMs` has passed. @throws NshError as `takeTurn`; `usage` for a name that cannot be one. */
export async function acquireLock(
  participant: Participant,
  name: string,
  { shared = false, ...options }: LockOptions = {},
): Promise<Hold | undefined> {
  return await takeTurn(participant, placeOf('lock', name), { mode: shared ? 's' : 'x', holders: 1 }, options);
}
