/**
 * A barrier: `size` members wait for each other, and pass together. It can be used again at once.
 *
 * A member that goes before the gate opens (its time is over, it is broken off, it dies) is not counted any more, and the others go on
 * waiting for `size` members, as at etcd's and ZooKeeper's double barrier: a process that is started anew takes the place of the dead one.
 * (java.util.concurrent.CyclicBarrier breaks instead, since nobody restarts a thread.) Either all `size` pass or none does: that they
 * were there together at one revision of the store is written down in one transaction, before which nobody passes, and a member whose
 * time is over leaves only while that has not happened.
 */
import { isUnavailable, isUnknown, sessionLost } from '../store/errors.ts';
import type { Compare, Op } from '../store/store.ts';
import { enqueue, withdraw, type Claim } from './claim.ts';
import { describePlace } from './errors.ts';
import { encodeGate, openGate, readGate, waitingAt, type Gate, type Passage } from './gate.ts';
import { gateKeyOf, placeOf, type Place } from './keys.ts';
import type { Participant } from './participant.ts';
import { pauseAfter } from './patience.ts';
import { checkSize } from './semaphore.ts';
import { look, snapshotOf, snapshotOps, type Snapshot } from './snapshot.ts';
import type { TurnOptions } from './turn.ts';
import { untilChanged } from './wait-gone.ts';

export interface Passed extends Passage {
  /** Unique for each passage of each member, and in their order. */
  readonly token: bigint;
}

/**
 * @param options.timeoutMs 0: only as the last one, for whom the others wait.
 * @returns undefined where `timeoutMs` has passed first.
 * @throws NshError `sessionLost`, `sizeDiffers`; what `signal` fired with, unless all passed at the same moment.
 */
export async function passBarrier(
  participant: Participant,
  name: string,
  size: number,
  { signal, timeoutMs }: Omit<TurnOptions, 'onWaiting'> = {},
): Promise<Passed | undefined> {
  checkSize('barrier', size);
  const place = placeOf('barrier', name);
  const { session } = participant;
  const timeout = new AbortController();
  const patience = AbortSignal.any([session.lost, timeout.signal, ...(signal === undefined ? [] : [signal])]);
  patience.throwIfAborted();
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => timeout.abort(), Math.min(timeoutMs, 0x7fffffff));
  try {
    const isInUse = (snapshot: Snapshot): boolean =>
      waitingAt(readGate(place, snapshot.gate?.value), snapshot.queue).length > 0;
    const { claim, snapshot } = await enqueue(participant, place, { mode: 'x', size, isInUse });
    const member: Member = { participant, claim, place, size };
    const passage = (await untilPassed(member, snapshot, patience)) ?? (await leave(member));
    await withdraw(participant, claim);
    if (passage !== undefined) return { ...passage, token: claim.token };
    if (signal?.aborted === true) throw signal.reason;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

interface Member {
  readonly participant: Participant;
  readonly claim: Claim;
  readonly place: Place;
  readonly size: number;
}

/** @returns undefined where `patience` is over, but not the session. */
async function untilPassed(member: Member, first: Snapshot, patience: AbortSignal): Promise<Passage | undefined> {
  const { participant, place, size, claim } = member;
  const { session, store } = participant;
  let snapshot = first;
  for (;;) {
    const gate = readGate(place, snapshot.gate?.value);
    // Whoever completes a number opens the gate for it; the others only watch the gate.
    const opened = openGate(gate, snapshot.queue, size);
    if (opened !== undefined) {
      snapshot = await changeGate(member, snapshot, opened);
      continue;
    }
    const passage = gate.passed.get(claim.id);
    if (passage !== undefined) return passage;
    checkIsThere(member, snapshot);
    try {
      await untilChanged(store, gateKeyOf(place), snapshot.revision + 1n, patience);
      snapshot = await look(store, place, session.lost);
    } catch (error) {
      if (session.lost.aborted) throw session.lost.reason;
      if (patience.aborted) return undefined;
      throw error;
    }
  }
}

/** Away from the gate while it is shut. @returns how it passed where it was opened first. */
async function leave(member: Member): Promise<Passage | undefined> {
  const { participant, place, claim } = member;
  const { store, session } = participant;
  for (let snapshot = await look(store, place, session.lost); ; ) {
    const gate = readGate(place, snapshot.gate?.value);
    const passage = gate.passed.get(claim.id);
    if (passage !== undefined) return passage;
    if (!snapshot.queue.some(({ id }) => id === claim.id)) return undefined;
    // The gate is written anew, so that nobody opens it who has still seen this member.
    snapshot = await changeGate(member, snapshot, gate, [{ op: 'delete', key: claim.key }]);
  }
}

/**
 * Writes the gate unless somebody else has meanwhile. Once at most, whether an answer comes or not: the second would find another revision.
 * @returns how it is then.
 */
async function changeGate(
  { participant, place }: Member,
  { gate }: Snapshot,
  to: Gate,
  others: readonly Op[] = [],
): Promise<Snapshot> {
  const { store, session } = participant;
  const key = gateKeyOf(place);
  const unchanged: Compare = { key, on: 'mod', to: gate?.modRevision ?? 0n };
  const reading = snapshotOps(place);
  try {
    const { revision, results } = await store.txn(
      [unchanged],
      [{ op: 'put', key, value: encodeGate(to) }, ...others, ...reading],
      reading,
    );
    return snapshotOf(place, revision, results);
  } catch (error) {
    if (!isUnavailable(error) && !isUnknown(error)) throw error;
    await pauseAfter(1, session.lost);
    return await look(store, place, session.lost);
  }
}

function checkIsThere({ participant, claim, place }: Member, { queue }: Snapshot): void {
  if (queue.some(({ id }) => id === claim.id)) return;
  throw sessionLost(participant.session.id, `its place at ${describePlace(place)} has been deleted`);
}
