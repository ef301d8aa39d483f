/**
 * Waiting for one's turn, for everything that has a queue: lock, semaphore, election. Whoever waits watches those alone that keep it
 * from holding, from the revision on at which it saw them, so no wake-up is lost and none goes to all.
 */
import { sessionLost } from '../store/errors.ts';
import { enqueue, withdraw, type Claim, type EnqueueOptions } from './claim.ts';
import { describePlace } from './errors.ts';
import { Hold } from './hold.ts';
import type { Place } from './keys.ts';
import type { Participant } from './participant.ts';
import { blockersOf, wouldWait, type QueuedClaim } from './queue.ts';
import { look, readSize, type Snapshot } from './snapshot.ts';
import { untilOneGone } from './wait-gone.ts';

export interface TurnOptions {
  /** Leaves the queue: its reason is thrown. */
  readonly signal?: AbortSignal;
  /** ms to wait at most; 0: only where it is free now. Default: for ever. */
  readonly timeoutMs?: number;
  /** Called with those that are waited for, each time that others are. It must not throw. */
  readonly onWaiting?: (blockers: readonly QueuedClaim[]) => void;
}

export interface Turn extends EnqueueOptions {
  /** So many may hold at once. */
  readonly holders: number;
}

/**
 * @returns undefined where the time is over.
 * @throws NshError `sessionLost`; what `signal` fired with; `sizeDiffers`, `storeClosed`.
 */
export async function takeTurn(
  participant: Participant,
  place: Place,
  turn: Turn,
  { signal, timeoutMs, onWaiting }: TurnOptions = {},
): Promise<Hold | undefined> {
  const { session, store } = participant;
  const { holders } = turn;
  const timeout = new AbortController();
  const patience = AbortSignal.any([session.lost, timeout.signal, ...(signal === undefined ? [] : [signal])]);
  patience.throwIfAborted();
  // A look that finds it taken leaves no trace in the queue; whoever goes on behind it is in the queue like everybody else.
  if (timeoutMs === 0 && isTaken(await look(store, place, patience), turn)) return undefined;
  // The time runs while the store is asked, but what was asked is waited for, so that no claim stays behind unknown.
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => timeout.abort(), Math.min(timeoutMs, 0x7fffffff));
  try {
    const { claim, snapshot } = await enqueue(participant, place, turn);
    try {
      await untilTurn(participant, claim, snapshot, holders, patience, onWaiting);
      session.lost.throwIfAborted();
      return new Hold(participant, claim);
    } catch (error) {
      if (session.lost.aborted) throw session.lost.reason;
      await withdraw(participant, claim);
      if (timeout.signal.aborted && signal?.aborted !== true) return undefined;
      throw error;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** One that others use with another number is not taken but refused, which is said when it is asked for. */
function isTaken({ queue, size: agreed }: Snapshot, { mode, holders, size }: Turn): boolean {
  const isAgreed = size === undefined || agreed === undefined || readSize(agreed) === String(size);
  return isAgreed && wouldWait(queue, mode, holders);
}

async function untilTurn(
  { store, session }: Participant,
  claim: Claim,
  first: Snapshot,
  holders: number,
  patience: AbortSignal,
  onWaiting: TurnOptions['onWaiting'],
): Promise<void> {
  const { place } = claim;
  for (let snapshot = first; ; snapshot = await look(store, place, patience)) {
    const mine = snapshot.queue.find(({ id }) => id === claim.id);
    if (mine === undefined)
      throw sessionLost(session.id, `what it had in the queue of ${describePlace(place)} has been deleted`);
    const blockers = blockersOf(snapshot.queue, mine, holders);
    if (blockers.length === 0) return;
    onWaiting?.(blockers);
    const keys = blockers.map(({ key }) => key);
    await untilOneGone(store, place, keys, snapshot.revision + 1n, patience);
  }
}
