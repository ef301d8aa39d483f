/**
 * The queue of a lock, semaphore or election, and who of it holds. Pure. Claims stand in the order of their create revisions, which the store
 * gives: the smallest holds, of a semaphore the N smallest; of a lock also the shared ones that stand before the first exclusive one.
 * (Burrows, The Chubby lock service, 2006; ZooKeeper's and etcd's recipes.)
 */
import type { Entry } from '../store/store.ts';
import { readClaimKey, type ClaimKey, type Place } from './keys.ts';

export interface QueuedClaim extends ClaimKey {
  /** Its create revision: the fencing token. */
  readonly token: bigint;
}

/** The claims among the entries of a place, first come first. */
export function readQueue(place: Place, entries: readonly Entry[]): QueuedClaim[] {
  const claims = entries.flatMap((entry) => {
    const claim = readClaimKey(place, entry.key);
    return claim === undefined ? [] : [{ ...claim, token: entry.createRevision }];
  });
  return claims.sort(byToken);
}

/**
 * Which claims keep `mine` waiting; none: it holds. These are not all that stand before it but the `size` nearest: as long as all of
 * them are there it waits for certain, so it need not look at the queue again before one of them goes. Whoever goes wakes at most
 * `size` others (and shared ones that were behind the same exclusive one, all of which hold then).
 *
 * @param size how many may hold at once: 1 for a lock and an election.
 */
export function blockersOf<T extends Pick<QueuedClaim, 'token' | 'mode'>>(
  queue: readonly T[],
  mine: Pick<QueuedClaim, 'token' | 'mode'>,
  size: number,
): readonly T[] {
  const before = allBefore(queue, mine);
  return before.length < size ? [] : before.slice(-size);
}

/** All that stand before `mine` and cannot hold beside it, but for the size of a semaphore. */
export function allBefore<T extends Pick<QueuedClaim, 'token' | 'mode'>>(
  queue: readonly T[],
  mine: Pick<QueuedClaim, 'token' | 'mode'>,
): readonly T[] {
  return queue.filter((claim) => claim.token < mine.token && excludes(claim, mine));
}

/** Whether a claim that came now would have to wait. */
export function wouldWait(queue: readonly QueuedClaim[], mode: QueuedClaim['mode'], size: number): boolean {
  const last = queue.at(-1)?.token ?? 0n;
  return blockersOf(queue, { token: last + 1n, mode }, size).length > 0;
}

function excludes(a: Pick<QueuedClaim, 'mode'>, b: Pick<QueuedClaim, 'mode'>): boolean {
  return a.mode === 'x' || b.mode === 'x';
}

export function byToken(a: Pick<QueuedClaim, 'token'>, b: Pick<QueuedClaim, 'token'>): number {
  return a.token < b.token ? -1 : a.token > b.token ? 1 : 0;
}
