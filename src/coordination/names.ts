/**
 * Names: a process registers as `db/primary`, others find it, or wait for it. A name goes with the session of who has it, and is one
 * process's alone.
 */
import { isCompacted, isUnavailable, isUnknown } from '../store/errors.ts';
import type { CallOptions, Entry, Op, Store } from '../store/store.ts';
import { absent } from './claim.ts';
import { nameTaken } from './errors.ts';
import { Fence } from './fence.ts';
import { abandonedKeyOf, checkName, makeClaimId, namePrefix } from './keys.ts';
import { decodeParty, encodeParty, type Party } from './party.ts';
import type { Participant } from './participant.ts';
import { pauseAfter, untilAnswered } from './patience.ts';
import { untilChanged } from './wait-gone.ts';

export interface NamedParty {
  readonly name: string;
  /** `says` is the value that it registered with. */
  readonly party: Party;
  /** Greater for each later one of the same name. */
  readonly token: bigint;
}

export interface Registration {
  readonly token: bigint;
  /** As `Hold.lost` and `Hold.kill`. */
  readonly lost: AbortSignal;
  readonly kill: AbortSignal;
  /** Frees the name at once. Resolves also where the session has ended. */
  release(): Promise<void>;
}

/** @throws NshError `taken`, naming who has it; `usage`, `sessionLost`, `storeClosed`, `tooLarge` */
export async function registerName(participant: Participant, name: string, says?: string): Promise<Registration> {
  const key = nameKey(name);
  const { store, session, party } = participant;
  const value = encodeParty(says === undefined ? party : { ...party, says });
  for (let failures = 0; ; ) {
    session.lost.throwIfAborted();
    // Its key is everybody's, so an id of its own says whether a registration without an answer has come, or may still come (claim.ts).
    const sealKey = abandonedKeyOf(makeClaimId(session.id));
    try {
      const put: Op = { op: 'put', key, value, session: session.id };
      const result = await store.txn([...absent(key), ...absent(sealKey)], [put], [{ op: 'get', key }]);
      if (result.succeeded) return new Registered(participant, key, result.revision);
      const [found] = result.results;
      // Where it has become free meanwhile, it is tried again.
      if (found?.op === 'get' && found.entry !== undefined) throw nameTaken(name, decodeParty(found.entry.value));
    } catch (error) {
      if (isUnknown(error)) {
        const seal: Op = { op: 'put', key: sealKey, value: new Uint8Array(0), session: session.id };
        const { results } = await untilAnswered(session.lost, () => store.txn([], [seal, { op: 'get', key }]));
        const found = results.at(-1);
        // One process registers a name once, so one of its session with its own value is the one in question.
        if (found?.op === 'get' && isOwn(found.entry, participant, value))
          return new Registered(participant, key, found.entry.createRevision);
      } else if (!isUnavailable(error)) throw error;
    }
    await pauseAfter(++failures, session.lost);
  }
}

/** @returns undefined where nobody has it. @throws NshError as `Store.get` */
export async function findName(store: Store, name: string, options: CallOptions = {}): Promise<NamedParty | undefined> {
  const { entry } = await store.get(nameKey(name), options);
  return entry === undefined ? undefined : named(entry);
}

/** Waits until somebody has it. @throws what `signal` fired with; `storeClosed`. */
export async function awaitName(store: Store, name: string, signal: AbortSignal): Promise<NamedParty> {
  const key = nameKey(name);
  for (;;) {
    const { entry, revision } = await untilAnswered(signal, () => store.get(key, { signal }));
    if (entry !== undefined) return named(entry);
    await untilChanged(store, key, revision + 1n, signal);
  }
}

/** All that begin with `prefix`, in the order of their names. @throws NshError as `Store.list` */
export async function listNames(store: Store, prefix = '', options: CallOptions = {}): Promise<readonly NamedParty[]> {
  const { entries } = await store.list(`${namePrefix}${prefix}`, options);
  return entries.map((entry) => named(entry));
}

/**
 * Who has the name now, then each time that it is another one; undefined: nobody.
 * @param signal ends it, without an error. @throws NshError `storeClosed`
 */
export async function* watchName(
  store: Store,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<NamedParty | undefined> {
  const key = nameKey(name);
  let told: bigint | undefined;
  while (!signal.aborted) {
    try {
      const { entry, revision } = await untilAnswered(signal, () => store.get(key, { signal }));
      if (told !== (entry?.modRevision ?? 0n)) {
        told = entry?.modRevision ?? 0n;
        yield entry === undefined ? undefined : named(entry);
      }
      for await (const { events } of store.watch(key, revision + 1n, { signal })) {
        const event = events.find((each) => each.key === key);
        if (event === undefined) continue;
        told = event.type === 'put' ? event.entry.modRevision : 0n;
        yield event.type === 'put' ? named(event.entry) : undefined;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isCompacted(error)) throw error;
    }
  }
}

class Registered implements Registration {
  readonly token: bigint;
  readonly #participant: Participant;
  readonly #key: string;
  readonly #fence: Fence;

  constructor(participant: Participant, key: string, token: bigint) {
    this.#participant = participant;
    this.#key = key;
    this.token = token;
    this.#fence = new Fence(participant.session);
  }

  get lost(): AbortSignal {
    return this.#fence.stop;
  }

  get kill(): AbortSignal {
    return this.#fence.kill;
  }

  async release(): Promise<void> {
    this.#fence.close();
    const { session, store } = this.#participant;
    const key = this.#key;
    const isMine = { key, on: 'create', to: this.token } as const;
    try {
      await untilAnswered(session.lost, () => store.txn([isMine], [{ op: 'delete', key }]));
    } catch (error) {
      if (!session.lost.aborted) throw error;
    }
  }
}

function isOwn(entry: Entry | undefined, { session }: Participant, value: Uint8Array): entry is Entry {
  return entry?.session === session.id && Buffer.compare(entry.value, value) === 0;
}

function named({ key, value, createRevision }: Entry): NamedParty {
  return { name: key.slice(namePrefix.length), party: decodeParty(value), token: createRevision };
}

function nameKey(name: string): string {
  checkName('name', name);
  return `${namePrefix}${name}`;
}
