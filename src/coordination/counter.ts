/**
 * An atomic counter of any size. Each change is a compare-and-set on the revision that was read, and carries an id of its own, so that it
 * is done once or not at all: where no answer comes, the first change behind that revision says whose it was. If it was this one, it is
 * done; if it was another's, this one can never be done any more, and begins anew.
 */
import * as v from 'valibot';
import { NshError } from '../protocol/errors.ts';
import { isCompacted, isUnavailable, isUnknown, storeUnknown } from '../store/errors.ts';
import type { Compare, Entry, Store } from '../store/store.ts';
import { checkName, counterPrefix } from './keys.ts';
import { pauseAfter } from './patience.ts';

export interface Count {
  readonly value: bigint;
  /** At which it came to this value; greater for every later one. 0n: it was never changed, and is 0. */
  readonly revision: bigint;
}

export interface CountOptions {
  /** Breaks it off: its reason is thrown where nothing was changed; a change whose answer did not come is `storeUnknown`. */
  readonly signal?: AbortSignal;
}

const schema = v.object({ value: v.pipe(v.string(), v.regex(/^-?\d{1,100}$/)), op: v.string() });
type Stored = v.InferOutput<typeof schema>;
/** Digits. */
const maxDigits = 100;
/** How long a change without an answer is looked after, ms. */
const clarifyMs = 15_000;

/** @throws NshError `usage` for a name that cannot be one; `storeUnavailable`; what `signal` fired with. */
export async function readCounter(store: Store, name: string, { signal }: CountOptions = {}): Promise<Count> {
  const key = counterKey(name);
  const { entry } = await store.get(key, signal === undefined ? {} : { signal });
  return entry === undefined ? { value: 0n, revision: 0n } : countOf(entry);
}

/** @returns how it stands afterwards. @throws NshError as `changeCounter` */
export async function addToCounter(
  store: Store,
  name: string,
  amount: bigint,
  options: CountOptions = {},
): Promise<Count> {
  return await changeCounter(store, name, (value) => value + amount, options);
}

/**
 * @param next from how it stands to how it shall; called again where another change came first.
 * @throws NshError `tooLarge` beyond 100 digits; `storeUnavailable` where nothing was changed; `storeUnknown` where that cannot be told: the store
 *   answers no more, or has forgotten.
 */
export async function changeCounter(
  store: Store,
  name: string,
  next: (value: bigint) => bigint,
  { signal = new AbortController().signal }: CountOptions = {},
): Promise<Count> {
  const key = counterKey(name);
  signal.throwIfAborted();
  let seen: Seen = await store.get(key, { signal });
  for (let failures = 1; ; failures++) {
    const value = next(seen.entry === undefined ? 0n : countOf(seen.entry).value);
    if (String(value).length > maxDigits)
      throw new NshError('tooLarge', `the counter '${name}' would have more than ${maxDigits} digits`);
    const op = Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
    const outcome = await tryChange({ store, key, seen, stored: { value: String(value), op }, signal });
    if (outcome.done !== undefined) return outcome.done;
    ({ seen } = outcome);
    // Whoever lost a race does not run at once into the next one.
    await pauseAfter(Math.min(failures, 3), signal);
    signal.throwIfAborted();
  }
}

interface Seen {
  readonly entry?: Entry;
  readonly revision: bigint;
}

interface Change {
  readonly store: Store;
  readonly key: string;
  readonly seen: Seen;
  readonly stored: Stored;
  readonly signal: AbortSignal;
}

type Outcome =
  | { readonly done: Count; readonly seen?: never }
  /** It was not done and never will be: another change came first. */
  | { readonly done?: never; readonly seen: Seen };

/** @throws NshError `storeUnavailable`: not done; `storeUnknown`. */
async function tryChange(change: Change): Promise<Outcome> {
  const { store, key, seen, stored, signal } = change;
  const unchanged: Compare = { key, on: 'mod', to: seen.entry?.modRevision ?? 0n };
  const put = { op: 'put', key, value: Buffer.from(JSON.stringify(stored)) } as const;
  let unclear: NshError | undefined;
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(clarifyMs)]);
  for (let failures = 1; ; failures++) {
    let now: Seen | undefined;
    try {
      const result = await store.txn([unchanged], [put], [{ op: 'get', key }]);
      if (result.succeeded) return { done: { value: BigInt(stored.value), revision: result.revision } };
      const [found] = result.results;
      now = { revision: result.revision, ...(found?.op === 'get' && found.entry ? { entry: found.entry } : {}) };
    } catch (error) {
      if (isUnknown(error)) unclear = error;
      else if (unclear === undefined || !isUnavailable(error)) throw error;
      // The same one again is no second change: both demand the same revision, which the first that comes to the store ends.
      if (giveUp.aborted) throw unclear;
    }
    if (now !== undefined) return unclear === undefined ? { seen: now } : await findFate(change, now, giveUp);
    await pauseAfter(failures, giveUp);
  }
}

/** Which one the first change was, behind the revision at which the counter was seen. @throws NshError `storeUnknown` */
async function findFate({ store, key, seen, stored }: Change, now: Seen, giveUp: AbortSignal): Promise<Outcome> {
  const own = now.entry === undefined ? undefined : readOwn(now.entry, stored);
  if (own !== undefined) return { done: own };
  try {
    for await (const { events } of store.watch(key, seen.revision + 1n, { signal: giveUp })) {
      const first = events.find((event) => event.key === key);
      if (first === undefined) continue;
      const done = first.type === 'put' ? readOwn(first.entry, stored) : undefined;
      return done === undefined ? { seen: now } : { done };
    }
  } catch (error) {
    if (!isCompacted(error)) throw error;
  }
  throw storeUnknown(`what became of a change of ${key} cannot be found out any more`);
}

function readOwn(entry: Entry, { op }: Stored): Count | undefined {
  return readStored(entry).op === op ? countOf(entry) : undefined;
}

function countOf(entry: Entry): Count {
  return { value: BigInt(readStored(entry).value), revision: entry.modRevision };
}

function readStored({ key, value }: Entry): Stored {
  try {
    return v.parse(schema, JSON.parse(Buffer.from(value).toString('utf8')));
  } catch (cause) {
    throw new NshError('invalidMessage', `what the store has at ${key} is no counter`, { cause });
  }
}

function counterKey(name: string): string {
  checkName('counter', name);
  return `${counterPrefix}${name}`;
}
