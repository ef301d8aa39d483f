/** What etcd does for a store, over its v3 API: one request for each call, and nothing kept here but connections. */
import { isCompacted, isSessionLost, sessionLost, storeCompacted, storeMisuse } from '../errors.ts';
import type { Granted, StoreCalls } from '../store-calls.ts';
import type {
  CallOptions,
  Compare,
  GetResult,
  ListOptions,
  ListResult,
  Op,
  SessionId,
  StoreStatus,
  TxnResult,
  WatchBatch,
} from '../store.ts';
import { call, callWith, type Call } from './call.ts';
import { compareMessage, entryOf, leaseOf, opMessage, rangeOf, resultOf, sessionOf } from './convert.ts';
import type { Endpoints } from './endpoints.ts';
import { keepAlive } from './lease.ts';
import { compact, leaseGrant, leaseRevoke, leaseTimeToLive, range, txn } from './methods.ts';
import { readStatus } from './status.ts';
import { watchPrefix } from './watch.ts';

export class EtcdCalls implements StoreCalls {
  readonly #endpoints: Endpoints;

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  async get(key: string, options: CallOptions): Promise<GetResult> {
    const { kvs, header } = await call(this.#endpoints, range, { key: Buffer.from(key) }, reading(options));
    const [kv] = kvs;
    const revision = header?.revision ?? 0n;
    return kv === undefined ? { revision } : { entry: entryOf(kv), revision };
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
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
    otherwise: readonly Op[],
    options: CallOptions,
  ): Promise<TxnResult> {
    const isWrite = [...then, ...otherwise].some(({ op }) => op !== 'get' && op !== 'list');
    const success = then.map(opMessage);
    // A transaction that reads nothing but in its comparisons is not linearizable in etcd, which asks its own member alone: one read,
    // whose answer is left out, makes it so.
    if (then.length + otherwise.length === 0)
      success.push({ range: { key: Buffer.from(this.#endpoints.probeKey), countOnly: true } });
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

  watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncIterable<WatchBatch> {
    return watchPrefix(this.#endpoints, prefix, fromRevision, { signal });
  }

  async grant(ttlSeconds: number, options: CallOptions): Promise<Granted> {
    const { id, ttl } = await call(this.#endpoints, leaseGrant, { ttl: BigInt(ttlSeconds) }, writing(options));
    return { id: sessionOf(id), ttlMs: Number(ttl) * 1_000 };
  }

  /** Twice is as good as once, so it may be tried at several members. */
  async renew(id: SessionId, options: CallOptions): Promise<{ readonly ttlMs: number }> {
    const ttl = await callWith(this.#endpoints, reading(options), (endpoint, attempt) =>
      keepAlive(this.#endpoints, endpoint, leaseOf(id), attempt),
    );
    if (ttl <= 0n) throw sessionLost(id, 'etcd does not know it');
    return { ttlMs: Number(ttl) * 1_000 };
  }

  async revoke(id: SessionId, options: CallOptions): Promise<void> {
    await call(this.#endpoints, leaseRevoke, { id: leaseOf(id) }, { ...writing(options), session: id });
  }

  async compact(revision: bigint, options: CallOptions): Promise<void> {
    if (revision < 1n) throw storeMisuse(`revision ${revision}`);
    await this.#namingCompacted(() => call(this.#endpoints, compact, { revision }, writing(options)));
  }

  async status(options: CallOptions): Promise<StoreStatus> {
    return await readStatus(this.#endpoints, options);
  }

  /** etcd says that it has forgotten, and only to watches what: one from the first revision on is told at once. */
  async #namingCompacted<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!isCompacted(error)) throw error;
      const signal = AbortSignal.timeout(compactedMs);
      const told = await watchPrefix(this.#endpoints, this.#endpoints.probeKey, 1n, { signal })
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
