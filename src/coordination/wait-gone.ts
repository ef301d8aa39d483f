/** Waiting without asking: until one of some claims has gone. */
import { isCompacted } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import type { Place } from './keys.ts';

/** Up to so many keys are watched each for itself, so that what others do in the queue wakes nobody here. */
const maxWatches = 4;

/**
 * Resolves once one of `keys` has been deleted at `fromRevision` or later; also where that cannot be told any more, since the store has
 * forgotten: whoever waits looks again in any case.
 * @throws what `signal` fired with; `storeClosed`.
 */
export async function untilOneGone(
  store: Store,
  place: Place,
  keys: readonly string[],
  fromRevision: bigint,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const wanted = new Set(keys);
  const prefixes = keys.length <= maxWatches ? keys : [place.prefix];
  const any = AbortSignal.any([signal, over.signal]);
  const watches = prefixes.map(async (prefix) => {
    for await (const { events } of store.watch(prefix, fromRevision, { signal: any }))
      if (events.some(({ type, key }) => type === 'delete' && wanted.has(key))) return;
  });
  try {
    await Promise.race(watches);
  } catch (error) {
    if (!isCompacted(error)) throw error;
  } finally {
    over.abort();
    await Promise.allSettled(watches);
  }
  signal.throwIfAborted();
}

/** The same for a key that is put: its next value is there, or cannot be told. */
export async function untilChanged(
  store: Store,
  key: string,
  fromRevision: bigint,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const { events } of store.watch(key, fromRevision, { signal }))
      if (events.some((event) => event.key === key)) break;
  } catch (error) {
    if (!isCompacted(error)) throw error;
  }
  signal.throwIfAborted();
}
