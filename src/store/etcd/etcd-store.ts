/**
 * The store on etcd, over its v3 API: one request for each call of the interface, and nothing kept here but connections and sessions.
 * Import this file where it is needed and not before: it loads gRPC, which takes as long as everything else together.
 */
import { checkKey, checkList, checkTtl, checkTxn, isSessionId } from '../check-request.ts';
import { isCompacted, isSessionLost, sessionLost, storeClosed, storeCompacted, storeMisuse } from '../errors.ts';
import type {
  CallOptions,
  Compare,
  GetResult,
  ListOptions,
  ListResult,
  Op,
  SessionId,
  SessionOptions,
  Store,
  StoreSession,
  StoreStatus,
  TxnResult,
  WatchBatch,
  WatchOptions,
} from '../store.ts';
import { call, callWith, type Call } from './call.ts';
import { compareMessage, entryOf, leaseOf, opMessage, rangeOf, resultOf, sessionOf } from './convert.ts';
import { Endpoints, type EtcdOptions } from './endpoints.ts';
import { keepAlive } from './lease.ts';
import { compact, leaseGrant, leaseTimeToLive, range, txn } from './methods.ts';
import { EtcdSession } from './session.ts';
import { readStatus } from './status.ts';
import { watchPrefix } from './watch.ts';

export type { EtcdOptions } from './endpoints.ts';

/**
 * Connects with the first call.
 * @throws NshError `clusterFile`: a URL or a file of the certificates cannot be used
 */
export async function openEtcdStore(options: EtcdOptions): Promise<Store> {
  return new EtcdStore(await Endpoints.open(options));
}

class EtcdStore implements Store {
  readonly #endpoints: Endpoints;
  readonly #sessions = new Set<EtcdSession>();

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  async get(key: string, options: CallOptions = {}): Promise<GetResult> {
    checkKey(key);
    const { kvs, header } = await call(this.#endpoints, range, { key: Buffer.from(key) }, reading(options));
    const [kv] = kvs;
    const revision = header?.revision ?? 0n;
    return kv === undefined ? { revision } : { entry: entryOf(kv), revision };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    checkList(prefix, options);
    const { limit = 0, keysOnly = false, after, atRevision = 0n } = options;
    const request = { ...rangeOf(prefix, after), limit: BigInt(limit), keysOnly, revision: atRevision };
    const { kvs, more, header } = await this.#namingCompacted(() =>
      call(this.#endpoints, range, request, reading(options)),
    );
    return { entries: kvs.map(entryOf), more, revision: header?.revision ?? 0n };
  }

  async txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[] = [],
    options: CallOptions = {},
  ): Promise<TxnResult> {
    checkTxn(compares, then, otherwise);
    const isWrite = [...then, ...otherwise].some(({ op }) => op !== 'get' && op !== 'list');
    const hasReads = [...then, ...otherwise].some(({ op }) => op === 'get' || op === 'list');
    const success = then.map(opMessage);
    // A transaction that reads nothing but in its comparisons is not linearizable in etcd, which asks its own member alone: one more
    // read, whose answer is left out, makes it so.
    if (!isWrite && !hasReads) success.push({ range: { key: Buffer.from('\0'), countOnly: true } });
    const request = { compare: compares.map(compareMessage), success, failure: otherwise.map(opMessage) };
    const sessions = sessionsOf([...then, ...otherwise]);
    const [session] = sessions;
    const full: Call = { ...options, isWrite, ...(session === undefined ? {} : { session }) };
    const { succeeded, responses, header } = await call(this.#endpoints, txn, request, full).catch(async (error) => {
      throw isSessionLost(error) && sessions.length > 1 ? await this.#whichIsLost(sessions, error) : error;
    });
    const results = (succeeded ? then : otherwise).map((op, index) => resultOf(op, responses[index]));
    return { succeeded, revision: header?.revision ?? 0n, results };
  }

  watch(prefix: string, fromRevision: bigint, options: WatchOptions = {}): AsyncIterable<WatchBatch> {
    return watchPrefix(this.#endpoints, prefix, fromRevision, options);
  }

  async openSession(ttlSeconds: number, options: SessionOptions = {}): Promise<StoreSession> {
    checkTtl(ttlSeconds);
    const request = { ttl: BigInt(ttlSeconds) };
    // Measured before it can have been sent: sooner is on the safe side.
    const sentAt = performance.now();
    const { id, ttl } = await call(this.#endpoints, leaseGrant, request, writing(options));
    return this.#keep(sessionOf(id), { sentAt, ttl: Number(ttl) }, options);
  }

  async adoptSession(id: SessionId, options: SessionOptions = {}): Promise<StoreSession> {
    if (!isSessionId(id)) throw storeMisuse(`the session ${JSON.stringify(id)}`);
    const lease = leaseOf(id);
    const { grantedTtl, ttl } = await call(this.#endpoints, leaseTimeToLive, { id: lease }, reading(options));
    if (ttl < 0n || grantedTtl <= 0n) throw sessionLost(id, 'etcd does not know it');
    const renewal = await callWith(this.#endpoints, reading(options), (endpoint, attempt) =>
      keepAlive(this.#endpoints, endpoint, lease, attempt),
    );
    if (renewal.ttl <= 0) throw sessionLost(id, 'etcd does not know it');
    return this.#keep(id, renewal, options);
  }

  async compact(revision: bigint, options: CallOptions = {}): Promise<void> {
    if (revision < 1n) throw storeMisuse(`revision ${revision}`);
    await this.#namingCompacted(() => call(this.#endpoints, compact, { revision }, writing(options)));
  }

  async status(options: CallOptions = {}): Promise<StoreStatus> {
    return await readStatus(this.#endpoints, options);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.release();
    this.#endpoints.close();
  }

  #keep(
    id: SessionId,
    renewal: { readonly sentAt: number; readonly ttl: number },
    options: SessionOptions,
  ): StoreSession {
    if (this.#endpoints.closing.signal.aborted) throw storeClosed();
    const session = new EtcdSession(this.#endpoints, id, renewal, options, (ended) => this.#sessions.delete(ended));
    this.#sessions.add(session);
    return session;
  }

  /** etcd says that it has forgotten, and only to watches what: one from the first revision on is told at once. */
  async #namingCompacted<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!isCompacted(error)) throw error;
      const signal = AbortSignal.timeout(compactedMs);
      const told = await watchPrefix(this.#endpoints, '\0', 1n, { signal })
        .next()
        .catch((reason: unknown) => reason);
      throw isCompacted(told) ? told : storeCompacted(0n);
    }
  }

  async #whichIsLost(sessions: readonly SessionId[], error: unknown): Promise<unknown> {
    for (const id of sessions) {
      const { ttl } = await call(this.#endpoints, leaseTimeToLive, { id: leaseOf(id) }, reading({}));
      if (ttl < 0n) return sessionLost(id, 'etcd does not know it');
    }
    return error;
  }
}

/** To find out the compacted revision. */
const compactedMs = 2_000;

function reading(options: CallOptions): Call {
  return { ...options, isWrite: false };
}

function writing(options: CallOptions): Call {
  return { ...options, isWrite: true };
}

function sessionsOf(ops: readonly Op[]): SessionId[] {
  return [...new Set(ops.flatMap((op) => (op.op === 'put' && op.session !== undefined ? [op.session] : [])))];
}
