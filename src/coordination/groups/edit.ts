/**
 * Changes of what is wanted of groups. Each is decided from what is there, and written only where that is still so; where another change came
 * first it is decided anew, so that of two at once neither is lost. A change whose answer does not come is looked for by its id: the same
 * comparison cannot hold twice, so that trying again does nothing twice.
 */
import { readEvents, readWanted, writeEvents, writeWanted } from '../../policy/supervision/stored.ts';
import { eventsKey, wantedKey } from '../../policy/supervision/store-keys.ts';
import { addEvents, type GroupEvent, type Wanted } from '../../policy/supervision/wanted.ts';
import { NshError } from '../../protocol/errors.ts';
import { isUnavailable, isUnknown, storeUnknown } from '../../store/errors.ts';
import type { Compare, Entry, Op, Store } from '../../store/store.ts';
import { pauseAfter } from '../patience.ts';

export interface SeenWanted {
  readonly name: string;
  /** Absent: there is no such group. */
  readonly wanted?: Wanted;
  /** Of its last change; 0n: there is none. */
  readonly revision: bigint;
}

export interface WantedChange {
  readonly to: Omit<Wanted, 'op'>;
  /** A word for the command, and what it did, for `nsh group events`; absent: nothing to tell. */
  readonly event?: Pick<GroupEvent, 'kind' | 'text'>;
}

export interface EditOptions {
  /** USER@NODE. */
  readonly by: string;
  readonly signal: AbortSignal;
  /** ms until it is given up, because others change the same again and again or the store does not answer; default 15,000. */
  readonly patienceMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
  /** Further things of the same transaction, read anew for each attempt. */
  readonly along?: () => Promise<{ readonly compares: readonly Compare[]; readonly ops: readonly Op[] }>;
}

/** Two operations for each group, of the 128 that a transaction may have. */
export const maxGroupsAtOnce = 50;

/**
 * All groups in one transaction, or none.
 * @param decide from what is there to what is to be, by name; a name that is missing in its answer is left as it is. It may be called again,
 *   and may refuse by throwing.
 * @returns what is there afterwards.
 * @throws what `decide` throws; NshError `storeUnavailable` where nothing was changed, `storeUnknown` where that cannot be told.
 */
export async function editGroups(
  store: Store,
  names: readonly string[],
  decide: (seen: ReadonlyMap<string, SeenWanted>) => ReadonlyMap<string, WantedChange>,
  { by, signal, patienceMs = 15_000, now = Date.now, along }: EditOptions,
): Promise<ReadonlyMap<string, SeenWanted>> {
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  for (let failures = 1; ; failures++) {
    const before = await readAll(store, names, signal);
    const changes = decide(new Map([...before].map(([name, { seen }]) => [name, seen])));
    const others = await along?.();
    if (changes.size === 0 && (others?.ops.length ?? 0) === 0) return seenOf(before);
    const op = Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
    const compares: Compare[] = [...(others?.compares ?? [])];
    const ops: Op[] = [...(others?.ops ?? [])];
    for (const [name, { to, event }] of changes) {
      const known = before.get(name);
      compares.push({ key: wantedKey(name), on: 'mod', to: known?.seen.revision ?? 0n });
      ops.push({ op: 'put', key: wantedKey(name), value: Buffer.from(writeWanted({ ...to, op })) });
      if (event === undefined) continue;
      const text = `${event.text === undefined ? '' : `${event.text}, `}by ${by}`;
      const events = addEvents(known?.events ?? [], { atMs: now(), kind: event.kind, text });
      ops.push({ op: 'put', key: eventsKey(name, 'person'), value: Buffer.from(writeEvents(events)) });
    }
    const done = await tryWrite({ store, compares, ops, op, name: [...changes.keys()][0], giveUp });
    if (done !== undefined) {
      const after = new Map(seenOf(before));
      for (const [name, { to }] of changes) after.set(name, { name, wanted: { ...to, op }, revision: done });
      return after;
    }
    if (giveUp.aborted) {
      signal.throwIfAborted();
      throw new NshError(
        'timeout',
        `${names.join(', ')}: others change it at the same time, again and again; nothing was changed: try it again`,
      );
    }
    await pauseAfter(Math.min(failures, 3), giveUp);
  }
}

interface Read {
  readonly seen: SeenWanted;
  readonly events: readonly GroupEvent[];
}

async function readAll(store: Store, names: readonly string[], signal: AbortSignal): Promise<Map<string, Read>> {
  const ops = names.flatMap((name): Op[] => [
    { op: 'get', key: wantedKey(name) },
    { op: 'get', key: eventsKey(name, 'person') },
  ]);
  const { results } = await store.txn([], ops, [], { signal });
  const entries = results.map((result) => (result.op === 'get' ? result.entry : undefined));
  return new Map(
    names.map((name, index) => {
      const wanted = entries[2 * index];
      const seen: SeenWanted =
        wanted === undefined
          ? { name, revision: 0n }
          : { name, wanted: readWanted(textOf(wanted), name), revision: wanted.modRevision };
      return [name, { seen, events: eventsOf(entries[2 * index + 1], name) }];
    }),
  );
}

/** What cannot be read of what happened must not keep anybody from stopping a group. */
function eventsOf(entry: Entry | undefined, name: string): readonly GroupEvent[] {
  try {
    return entry === undefined ? [] : readEvents(textOf(entry), name);
  } catch {
    return []; // Begun anew.
  }
}

function seenOf(read: ReadonlyMap<string, Read>): Map<string, SeenWanted> {
  return new Map([...read].map(([name, { seen }]) => [name, seen]));
}

interface Write {
  readonly store: Store;
  readonly compares: readonly Compare[];
  readonly ops: readonly Op[];
  readonly op: string;
  /** One whose wanted state tells whether it was done; undefined: nothing tells. */
  readonly name: string | undefined;
  readonly giveUp: AbortSignal;
}

/** @returns the revision of the change; undefined: it was not done, since another one came first. */
async function tryWrite({ store, compares, ops, op, name, giveUp }: Write): Promise<bigint | undefined> {
  let unclear: NshError | undefined;
  for (let failures = 1; ; failures++) {
    try {
      const { succeeded, revision } = await store.txn(compares, ops);
      if (succeeded) return revision;
      if (unclear === undefined || name === undefined) return undefined;
      const { entry } = await store.get(wantedKey(name));
      if (entry !== undefined && readWanted(textOf(entry), name).op === op) return entry.modRevision;
      // It was done and then changed again, or never done.
      throw storeUnknown(
        `whether the change of ${name} was done cannot be told: the store did not answer, and it has been changed since; 'nsh group show ${name}' tells how it is now`,
      );
    } catch (error) {
      if (isUnknown(error) && unclear === undefined) unclear = error;
      else if (!isUnknown(error) && (unclear === undefined || !isUnavailable(error))) throw error;
      if (giveUp.aborted) throw unclear ?? error;
    }
    await pauseAfter(failures, giveUp);
  }
}

function textOf({ value }: Entry): string {
  return Buffer.from(value).toString('utf8');
}
