/**
 * A store as long as the cluster file names it. When it names another one, revisions, sessions and watches of the one before mean nothing any
 * more: watches end as if their past were forgotten, so that whoever watches lists anew, in the store that is named now.
 */
import { isSessionLost, sessionLost, storeMoved } from '../../src/store/errors.ts';
import type { StoreCalls } from '../../src/store/store-calls.ts';
import type { WatchBatch } from '../../src/store/store.ts';

export interface Generation {
  /** Fires when another store is named. */
  readonly over: AbortSignal;
  /** What a person should know about the one before; undefined: nothing. */
  readonly note: () => string | undefined;
}

export function callsOf(calls: StoreCalls, { over, note }: Generation): StoreCalls {
  return {
    get: (key, options) => calls.get(key, options),
    list: (prefix, options) => calls.list(prefix, options),
    txn: (compares, then, otherwise, options) => calls.txn(compares, then, otherwise, options),
    watch: (prefix, fromRevision, signal) => untilOver((ends) => calls.watch(prefix, fromRevision, ends), signal, over),
    grant: (ttlSeconds, options) => calls.grant(ttlSeconds, options),
    renew: async (id, options) => {
      try {
        return await calls.renew(id, options);
      } catch (error) {
        const why = note();
        throw isSessionLost(error) && why !== undefined ? sessionLost(id, why) : error;
      }
    },
    revoke: (id, options) => calls.revoke(id, options),
    compact: (revision, options) => calls.compact(revision, options),
    status: async (options) => {
      const status = await calls.status(options);
      const why = note();
      return why === undefined ? status : { ...status, warnings: [...status.warnings, why] };
    },
  };
}

async function* untilOver(
  watch: (signal: AbortSignal) => AsyncIterable<WatchBatch>,
  signal: AbortSignal,
  over: AbortSignal,
): AsyncGenerator<WatchBatch> {
  try {
    for await (const batch of watch(AbortSignal.any([signal, over]))) {
      if (over.aborted) break;
      yield batch;
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
  if (over.aborted && !signal.aborted) throw storeMoved();
}
