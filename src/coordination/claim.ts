/**
 * Getting into a queue, and out again. A claim has a key that nobody else ever uses; its create revision is its place in the queue and its
 * fencing token.
 *
 * Where no answer comes to the transaction that puts it, it is in the queue, or not, or will be in a moment (a member of etcd that
 * stood still has it in its socket). To read the key is not enough then: it would say "not there", and a claim of nobody would
 * block the queue later. So the same transaction that reads it puts `abandoned/ID`, whose absence every claim demands: from then on
 * what was read stays true. Only then a claim with a new id is made.
 */
import { isUnavailable, isUnknown } from '../store/errors.ts';
import type { Compare, Op, StoreSession } from '../store/store.ts';
import { sizeDiffers } from './errors.ts';
import {
  abandonedKeyOf,
  claimKeyOf,
  gateKeyOf,
  makeClaimId,
  sizeKeyOf,
  type ClaimId,
  type ClaimMode,
  type Place,
} from './keys.ts';
import { decodeParty, encodeParty } from './party.ts';
import type { Participant } from './participant.ts';
import { pauseAfter, untilAnswered } from './patience.ts';
import { encodeSize, readSize, snapshotOf, snapshotOps, type Snapshot } from './snapshot.ts';

export interface Claim {
  readonly place: Place;
  readonly id: ClaimId;
  readonly key: string;
  readonly token: bigint;
}

export interface Enqueued {
  readonly claim: Claim;
  readonly snapshot: Snapshot;
}

export interface EnqueueOptions {
  readonly mode: ClaimMode;
  /** The number that all who name the place must agree on; absent: it has none. */
  readonly size?: number;
  /** Whether anybody there counts on the number as it is; default: anybody in the queue. */
  readonly isInUse?: (snapshot: Snapshot) => boolean;
}

/** @throws NshError `sizeDiffers`, `sessionLost`, `storeClosed`, `tooLarge` */
export async function enqueue(participant: Participant, place: Place, options: EnqueueOptions): Promise<Enqueued> {
  const { store, session, party } = participant;
  const { mode, size, isInUse = ({ queue }) => queue.length > 0 } = options;
  let agreement = size === undefined ? [] : [sameSize(place, size)];
  for (let failures = 0; ; ) {
    session.lost.throwIfAborted();
    const id = makeClaimId(session.id);
    const key = claimKeyOf(place, id, mode);
    const puts: Op[] = [
      { op: 'put', key, value: encodeParty(party), session: session.id },
      // Put anew each time, so that whoever changes it sees that somebody has come.
      ...(size === undefined ? [] : [{ op: 'put', key: sizeKeyOf(place), value: encodeSize(size) } as const]),
    ];
    const look = snapshotOps(place);
    try {
      const compares = [...absent(key), ...absent(abandonedKeyOf(id)), ...agreement];
      const { succeeded, revision, results } = await store.txn(compares, [...puts, ...look], look);
      const snapshot = snapshotOf(place, revision, results);
      if (succeeded) return { claim: { place, id, key, token: revision }, snapshot };
      if (size !== undefined) agreement = await agree(participant, place, size, snapshot, isInUse(snapshot));
    } catch (error) {
      if (isUnknown(error)) {
        const known = await settle(participant, place, id, key);
        if (known !== undefined) return known;
      } else if (!isUnavailable(error)) throw error;
      await pauseAfter(++failures, session.lost);
    }
  }
}

/** Out of the queue. Done as often as it takes: nobody else ever uses the key. Resolves, too, when the session has ended, and the claim with it. */
export async function withdraw({ store, session }: Participant, { place, key }: Claim): Promise<void> {
  try {
    const { revision, results } = await untilAnswered(session.lost, () =>
      store.txn([], [{ op: 'delete', key }, ...snapshotOps(place)]),
    );
    const { size, gate, queue } = snapshotOf(place, revision, results);
    if (queue.length > 0 || (size === undefined && gate === undefined)) return;
    // The last one takes along what all had in common; whoever comes meanwhile changes it, and keeps it.
    const unchanged = [size, gate].flatMap((entry): Compare[] =>
      entry === undefined ? [] : [{ key: entry.key, on: 'mod', to: entry.modRevision }],
    );
    const keys = [sizeKeyOf(place), ...(place.kind === 'barrier' ? [gateKeyOf(place)] : [])];
    await store.txn(
      unchanged,
      keys.map((gone) => ({ op: 'delete', key: gone })),
    );
  } catch (error) {
    // What all had in common may stay, too: the next one who leaves takes it along.
    if (!session.lost.aborted && !isUnavailable(error) && !isUnknown(error)) throw error;
  }
}

/** What became of a claim whose answer did not come; undefined: it is not there and never will be. */
async function settle(
  { store, session }: Participant,
  place: Place,
  id: ClaimId,
  key: string,
): Promise<Enqueued | undefined> {
  const { revision, results } = await untilAnswered(session.lost, () => store.txn([], sealOps(session, id, place)));
  const snapshot = snapshotOf(place, revision, results);
  const own = snapshot.queue.find((claim) => claim.key === key);
  return own === undefined ? undefined : { claim: { place, id, key, token: own.token }, snapshot };
}

function sealOps(session: StoreSession, id: ClaimId, place: Place): Op[] {
  const seal: Op = { op: 'put', key: abandonedKeyOf(id), value: new Uint8Array(0), session: session.id };
  return [seal, ...snapshotOps(place)];
}

export function absent(key: string): Compare[] {
  return [{ key, on: 'create', to: 0n }];
}

function sameSize(place: Place, size: number): Compare {
  return { key: sizeKeyOf(place), on: 'value', to: encodeSize(size) };
}

/** How the number can become `size`. @throws NshError `sizeDiffers` where others count on another one. */
async function agree(
  { store }: Participant,
  place: Place,
  size: number,
  { size: entry, queue }: Snapshot,
  isInUse: boolean,
): Promise<Compare[]> {
  if (entry === undefined) return absent(sizeKeyOf(place));
  const used = readSize(entry);
  if (used === String(size)) return [sameSize(place, size)];
  if (!isInUse) return [{ key: entry.key, on: 'mod', to: entry.modRevision }];
  const [first] = queue;
  const other = first === undefined ? undefined : (await store.get(first.key)).entry;
  throw sizeDiffers(place, used, size, other === undefined ? undefined : decodeParty(other.value));
}
