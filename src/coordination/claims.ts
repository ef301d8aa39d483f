/** Who holds and who waits, of the whole cluster, at one revision of the store. */
import type { CallOptions, Entry, Store } from '../store/store.ts';
import { readGate } from './gate.ts';
import { gateKeyOf, placeKinds, readClaimKey, readPlaceKey, sizeKeyOf, type ClaimMode, type Place } from './keys.ts';
import { decodeParty, type Party } from './party.ts';
import { blockersOf, byToken, type QueuedClaim } from './queue.ts';

export interface ClaimState extends QueuedClaim {
  readonly place: Place;
  readonly mode: ClaimMode;
  /** How many may hold at once, or must come to a barrier. */
  readonly size: number;
  readonly state: 'holds' | 'waits';
  /** Those it waits for; of a barrier none, since they have not come. */
  readonly blockers: readonly QueuedClaim[];
  readonly party: Party;
}

/** In the order of kinds and names, of each first come first. @throws NshError as `Store.list` */
export async function readClaims(store: Store, options: CallOptions = {}): Promise<readonly ClaimState[]> {
  let atRevision: bigint | undefined;
  const entries: Entry[] = [];
  for (const kind of placeKinds) {
    const at = atRevision === undefined ? {} : { atRevision };
    const listed = await store.list(`${kind}/`, { ...options, ...at });
    atRevision ??= listed.revision;
    entries.push(...listed.entries);
  }
  return claimsOf(entries);
}

/** Pure. */
export function claimsOf(entries: readonly Entry[]): readonly ClaimState[] {
  const places = new Map<string, { readonly place: Place; readonly entries: Entry[] }>();
  for (const entry of entries) {
    const place = readPlaceKey(entry.key)?.place;
    if (place === undefined) continue;
    const known = places.get(place.prefix);
    if (known === undefined) places.set(place.prefix, { place, entries: [entry] });
    else known.entries.push(entry);
  }
  return [...places.values()].flatMap(({ place, entries: own }) => claimsAt(place, own));
}

function claimsAt(place: Place, entries: readonly Entry[]): ClaimState[] {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const claims = entries.flatMap((entry) => {
    const claim = readClaimKey(place, entry.key);
    return claim === undefined ? [] : [{ ...claim, token: entry.createRevision, party: decodeParty(entry.value) }];
  });
  claims.sort(byToken);
  const size = readNumber(byKey.get(sizeKeyOf(place)));
  const gate = place.kind === 'barrier' ? readGate(place, byKey.get(gateKeyOf(place))?.value) : undefined;
  return claims.flatMap((claim): ClaimState[] => {
    if (gate !== undefined) {
      // Who has passed is only about to go.
      return gate.passed.has(claim.id) ? [] : [{ ...claim, place, size, state: 'waits', blockers: [] }];
    }
    const blockers = blockersOf(claims, claim, size);
    return [{ ...claim, place, size, state: blockers.length === 0 ? 'holds' : 'waits', blockers }];
  });
}

function readNumber(entry: Entry | undefined): number {
  const number = entry === undefined ? 1 : Number(Buffer.from(entry.value).toString('utf8'));
  return Number.isSafeInteger(number) && number >= 1 ? number : 1;
}
