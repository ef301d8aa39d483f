/** Stores that are wrong in ways that happen, each of which the checker must catch: a checker that never finds anything proves nothing. */
import { isUnknown, storeUnavailable } from '../../src/store/errors.ts';
import { entryOf } from '../../src/store/etcd/convert.ts';
import type { Endpoints } from '../../src/store/etcd/endpoints.ts';
import { range } from '../../src/store/etcd/methods.ts';
import type { GetResult, Store } from '../../src/store/store.ts';

/** `store` with some methods replaced. */
function withMethods(store: Store, methods: Partial<Store>): Store {
  return {
    get: (...args) => store.get(...args),
    list: (...args) => store.list(...args),
    txn: (...args) => store.txn(...args),
    watch: (...args) => store.watch(...args),
    openSession: (...args) => store.openSession(...args),
    adoptSession: (...args) => store.adoptSession(...args),
    compact: (...args) => store.compact(...args),
    status: (...args) => store.status(...args),
    close: () => store.close(),
    ...methods,
  };
}

/** A client that does a write again when no answer came: what was done once is done twice. */
export function retryingWrites(store: Store): Store {
  return withMethods(store, {
    txn: async (...args) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await store.txn(...args);
        } catch (error) {
          if (!isUnknown(error) || attempt === 5) throw error;
        }
      }
    },
  });
}

/** A client that takes "no answer" for "not done". */
export function denyingUnknown(store: Store): Store {
  return withMethods(store, {
    txn: async (...args) => {
      try {
        return await store.txn(...args);
      } catch (error) {
        throw isUnknown(error) ? storeUnavailable('no answer came') : error;
      }
    },
  });
}

/** A backend that asks one member alone, which may be behind the others or cut off from them. */
export function readingStale(store: Store, endpoints: Endpoints): Store {
  return withMethods(store, {
    get: async (key): Promise<GetResult> => {
      const { current } = endpoints;
      const attempt = {
        deadline: performance.now() + 1_000,
        signal: endpoints.closing.signal,
        needsLeader: false,
      };
      await current.connect(attempt);
      const request = { key: Buffer.from(key), serializable: true };
      const { kvs, header } = await current.unary(range, request, attempt);
      const [kv] = kvs;
      const revision = header?.revision ?? 0n;
      return kv === undefined ? { revision } : { revision, entry: entryOf(kv) };
    },
  });
}
