/**
 * Leader election: who came first leads until it resigns or its session ends. What a leader writes it writes through `Hold.txn`, which the
 * store refuses once it leads no more, however late it learns of that.
 */
import { isCompacted } from '../store/errors.ts';
import type { Entry, Store } from '../store/store.ts';
import type { Hold } from './hold.ts';
import { placeOf, readClaimKey, type Place } from './keys.ts';
import { decodeParty, type Party } from './party.ts';
import type { Participant } from './participant.ts';
import { untilAnswered } from './patience.ts';
import { takeTurn, type TurnOptions } from './turn.ts';

/**
 * Resolves when this one leads. `release` of what comes resigns; `tell` lets the others know something, such as an address.
 * @returns undefined where `timeoutMs` has passed. @throws NshError as `takeTurn`
 */
export async function campaign(
  participant: Participant,
  name: string,
  options: TurnOptions = {},
): Promise<Hold | undefined> {
  return await takeTurn(participant, placeOf('election', name), { mode: 'x', holders: 1 }, options);
}

export interface Leader {
  /** Of its leadership: greater for each later one. */
  readonly token: bigint;
  readonly party: Party;
}

/**
 * The leader as it is now, then each time that it is another one or tells something else; undefined where nobody leads. Where the store
 * cannot be reached it waits. Leaders that came and went meanwhile may be left out, the last one never is.
 * @param signal ends it, without an error. @throws NshError `storeClosed`
 */
export async function* observeLeader(
  store: Store,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Leader | undefined> {
  const place = placeOf('election', name);
  let told: Entry | undefined | null = null;
  while (!signal.aborted) {
    let claims: Map<string, Entry>;
    let revision: bigint;
    try {
      const listed = await untilAnswered(signal, () => store.list(place.prefix, { signal }));
      claims = new Map(listed.entries.map((entry) => [entry.key, entry]));
      ({ revision } = listed);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const first = leaderOf(place, claims);
    if (told === null || first?.modRevision !== told?.modRevision) yield leader((told = first));
    try {
      for await (const { events } of store.watch(place.prefix, revision + 1n, { signal })) {
        for (const event of events) {
          if (event.type === 'put') claims.set(event.key, event.entry);
          else claims.delete(event.key);
        }
        const now = leaderOf(place, claims);
        if (now?.modRevision !== told?.modRevision) yield leader((told = now));
      }
    } catch (error) {
      if (!isCompacted(error)) throw error;
    }
  }
}

function leaderOf(place: Place, claims: ReadonlyMap<string, Entry>): Entry | undefined {
  let first: Entry | undefined;
  for (const entry of claims.values()) {
    if (readClaimKey(place, entry.key) === undefined) continue;
    if (first === undefined || entry.createRevision < first.createRevision) first = entry;
  }
  return first;
}

function leader(entry: Entry | undefined): Leader | undefined {
  return entry === undefined ? undefined : { token: entry.createRevision, party: decodeParty(entry.value) };
}
