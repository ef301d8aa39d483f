/**
 * A store that is looked for at each call, for those who use it for long: a node that cannot be logged in to now may be there the next time,
 * and a changed cluster file may name another store. Calls that do not find it fail with `storeUnavailable`; watches wait.
 */
import { toNshError } from '../protocol/errors.ts';
import { isStoreError, storeUnavailable } from './errors.ts';
import { giveUp, throwIfCancelled } from './give-up.ts';
import { defaultDeadlineMs } from './limits.ts';
import { resumedWatch } from './resumed-watch.ts';
import type { StoreCalls } from './store-calls.ts';
import type { CallOptions, WatchBatch } from './store.ts';

/** @param find says why it cannot be found. It is waited for no longer than the call may take, and goes on for the next one. */
export function foundCalls(find: () => Promise<StoreCalls>): StoreCalls {
  const ask = async <T>(
    options: CallOptions,
    work: (calls: StoreCalls, left: CallOptions) => Promise<T>,
  ): Promise<T> => {
    throwIfCancelled(options);
    const { signal, deadlineMs = defaultDeadlineMs } = options;
    const begin = performance.now();
    const calls = await findOr(find, { ...options, deadlineMs });
    const leftMs = Math.max(1, deadlineMs - (performance.now() - begin));
    return await work(calls, { deadlineMs: leftMs, ...(signal === undefined ? {} : { signal }) });
  };
  return {
    get: (key, options) => ask(options, (calls, left) => calls.get(key, left)),
    list: (prefix, options) => ask(options, (calls, left) => calls.list(prefix, { ...options, ...left })),
    txn: (compares, then, otherwise, options) =>
      ask(options, (calls, left) => calls.txn(compares, then, otherwise, left)),
    watch: (prefix, fromRevision, signal) =>
      resumedWatch((from) => watchFound(find, prefix, from, signal), fromRevision, signal),
    grant: (ttlSeconds, options) => ask(options, (calls, left) => calls.grant(ttlSeconds, left)),
    renew: (id, options) => ask(options, (calls, left) => calls.renew(id, left)),
    revoke: (id, options) => ask(options, (calls, left) => calls.revoke(id, left)),
    compact: (revision, options) => ask(options, (calls, left) => calls.compact(revision, left)),
    status: (options) => ask(options, (calls, left) => calls.status(left)),
  };
}

async function findOr(find: () => Promise<StoreCalls>, options: CallOptions): Promise<StoreCalls> {
  try {
    return await giveUp(find(), { ...options, who: 'its node', isWrite: false });
  } catch (error) {
    const known = toNshError(error);
    throw isStoreError(known) || known.code === 'cancelled' ? known : storeUnavailable(known.message, known);
  }
}

async function* watchFound(
  find: () => Promise<StoreCalls>,
  prefix: string,
  fromRevision: bigint,
  signal: AbortSignal,
): AsyncGenerator<WatchBatch> {
  const calls = await findOr(find, { signal, deadlineMs: findMs });
  yield* calls.watch(prefix, fromRevision, signal);
}

/** A watch may wait for a slow login, ms. */
const findMs = 30_000;
