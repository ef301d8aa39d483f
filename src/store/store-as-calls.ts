/** Any store as the calls that an agent serves to its clients: their sessions are theirs to renew, not the agent's. */
import type { StoreCalls } from './store-calls.ts';
import type { Store } from './store.ts';

export function storeAsCalls(store: Store): StoreCalls {
  return {
    get: (key, options) => store.get(key, options),
    list: (prefix, options) => store.list(prefix, options),
    txn: (compares, then, otherwise, options) => store.txn(compares, then, otherwise, options),
    watch: (prefix, fromRevision, signal) => store.watch(prefix, fromRevision, { signal }),
    grant: async (ttlSeconds, options) => {
      const session = await store.openSession(ttlSeconds, options);
      session.release();
      const { id, ttlMs } = session;
      return { id, ttlMs };
    },
    renew: async (id, options) => {
      const session = await store.adoptSession(id, options);
      session.release();
      return { ttlMs: session.ttlMs };
    },
    revoke: async (id, options) => {
      const session = await store.adoptSession(id, options);
      await session.close(options);
    },
    compact: (revision, options) => store.compact(revision, options),
    status: (options) => store.status(options),
  };
}
