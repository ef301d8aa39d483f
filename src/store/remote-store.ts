/**
 * The store as another process serves it: an agent, over its control connection. What never went out is `storeUnavailable`; what went out
 * and was not answered is `storeUnknown`, where it was a write. Watches begin anew behind the last batch that came when the
 * connection breaks, so they lose nothing and tell nothing twice.
 */
import type { MethodName, Params, Result } from '../protocol/control.ts';
import { toNshError, type ErrorCode, type NshError } from '../protocol/errors.ts';
import type { NodeId } from '../ids/gpid.ts';
import { backoffDelayMs } from '../policy/backoff.ts';
import type { RpcPeer } from '../rpc/peer.ts';
import { callMethod } from '../rpc/typed.ts';
import { isCompacted, isStoreError, storeUnavailable, storeUnknown } from './errors.ts';
import { giveUp, throwIfCancelled } from './give-up.ts';
import { defaultDeadlineMs } from './limits.ts';
import { pause, watchBackoff } from './pause.ts';
import { resumedWatch } from './resumed-watch.ts';
import type { Granted, StoreCalls } from './store-calls.ts';
import type {
  CallOptions,
  Compare,
  Entry,
  GetResult,
  ListOptions,
  ListResult,
  Op,
  SessionId,
  StoreStatus,
  TxnResult,
  WatchBatch,
} from './store.ts';
import { fromWireBatch, fromWireEntry, fromWireOpResult, fromWireStatus, toWireCompare, toWireOp } from './wire.ts';

export interface RemoteOptions {
  /** Who answers, for messages: `the store on n1`. */
  readonly who: string;
  /** The node whose embedded store is meant; absent: that of the cluster, as the one who answers knows it. */
  readonly at?: NodeId;
  /** The connection, opened where it is not; it says why it cannot be. A call waits for it no longer than its deadline. */
  readonly connect: () => Promise<RpcPeer>;
}

/** Answers to a write that leave open whether it was done; all others say that it was not. */
const unclear: ReadonlySet<ErrorCode> = new Set(['linkLost', 'timeout', 'cancelled', 'internal', 'invalidMessage']);
/** A quiet watch hears so often that it is still one, ms; after as long again without that it begins anew. */
const idleMs = 60_000;
/** A watch may wait for a slow login. */
const connectMs = 30_000;
/** Of a read whose connection breaks. */
const maxReadAttempts = 3;
/** Of a list of several pages where what it reads is compacted meanwhile. */
const maxListAttempts = 3;

export class RemoteStore implements StoreCalls {
  readonly #options: RemoteOptions;

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  async get(key: string, options: CallOptions): Promise<GetResult> {
    const { entry, revision } = await this.#call('store.get', { key }, options, false);
    return { revision: BigInt(revision), ...(entry === undefined ? {} : { entry: fromWireEntry(entry) }) };
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listPages(prefix, options);
      } catch (error) {
        const mayGoAgain = options.atRevision === undefined && attempt < maxListAttempts;
        if (!isCompacted(error) || !mayGoAgain) throw error;
      }
    }
  }

  async txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[],
    options: CallOptions,
  ): Promise<TxnResult> {
    const params = {
      if: compares.map((compare) => toWireCompare(compare)),
      do: then.map((op) => toWireOp(op)),
      else: otherwise.map((op) => toWireOp(op)),
    };
    const isWrite = [...then, ...otherwise].some(({ op }) => op !== 'get' && op !== 'list');
    const { succeeded, revision, results } = await this.#call('store.txn', params, options, isWrite);
    return { succeeded, revision: BigInt(revision), results: results.map((result) => fromWireOpResult(result)) };
  }

  watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncIterable<WatchBatch> {
    return resumedWatch((from) => this.#watchOnce(prefix, from, signal), fromRevision, signal);
  }

  async grant(ttlSeconds: number, options: CallOptions): Promise<Granted> {
    const { session, ttlMs } = await this.#call('store.grant', { ttlSeconds }, options, true);
    return { id: session as SessionId, ttlMs };
  }

  async renew(id: SessionId, options: CallOptions): Promise<{ readonly ttlMs: number }> {
    return await this.#call('store.renew', { session: id }, options, true);
  }

  async revoke(id: SessionId, options: CallOptions): Promise<void> {
    await this.#call('store.revoke', { session: id }, options, true);
  }

  async compact(revision: bigint, options: CallOptions): Promise<void> {
    await this.#call('store.compact', { revision: String(revision) }, options, true);
  }

  async status(options: CallOptions): Promise<StoreStatus> {
    return fromWireStatus(await this.#call('store.status', {}, options, false));
  }

  async #listPages(prefix: string, options: ListOptions): Promise<ListResult> {
    const { limit = 0, keysOnly, atRevision, deadlineMs, signal } = options;
    const patience = {
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(signal === undefined ? {} : { signal }),
    };
    const entries: Entry[] = [];
    let at = atRevision === undefined ? {} : { atRevision: String(atRevision) };
    for (let { after } = options; ; after = entries.at(-1)?.key) {
      const wanted = limit === 0 ? 0 : limit - entries.length;
      const params = {
        prefix,
        limit: wanted,
        ...at,
        ...(after === undefined ? {} : { after }),
        ...(keysOnly === undefined ? {} : { keysOnly }),
      };
      const page = await this.#call('store.list', params, patience, false);
      entries.push(...page.entries.map((entry) => fromWireEntry(entry)));
      const isWhole = !page.more || page.entries.length === 0 || (limit > 0 && entries.length >= limit);
      if (isWhole) return { entries, more: page.more, revision: BigInt(page.revision) };
      at = { atRevision: page.read };
    }
  }

  async *#watchOnce(prefix: string, from: bigint, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    const peer = await this.#connect({ signal, deadlineMs: connectMs });
    const { watch } = await callMethod(
      peer,
      'store.watch',
      { prefix, from: String(from), ...this.#at() },
      { signal, deadlineMs: defaultDeadlineMs },
    );
    try {
      for (;;) {
        const { batches } = await callMethod(peer, 'store.next', { watch, idleMs }, { signal, deadlineMs: 2 * idleMs });
        for (const batch of batches) yield fromWireBatch(batch);
      }
    } finally {
      // Where the connection is gone, the watch is too.
      if (peer.isOpen) callMethod(peer, 'store.unwatch', { watch }).catch(() => undefined);
    }
  }

  async #call<M extends StoreMethod>(
    method: M,
    params: Omit<Params<M>, 'at' | 'withinMs'>,
    options: CallOptions,
    isWrite: boolean,
  ): Promise<Result<M>> {
    throwIfCancelled(options);
    const end = performance.now() + (options.deadlineMs ?? defaultDeadlineMs);
    for (let attempt = 1; ; attempt++) {
      const peer = await this.#connect({ ...options, deadlineMs: left(end) });
      try {
        if (!peer.isOpen) throw storeUnavailable(`${this.#options.who}: the connection has just ended`);
        const all = { ...params, ...this.#at(), withinMs: left(end) } as unknown as Params<M>;
        return await callMethod(peer, method, all, { ...options, deadlineMs: left(end) });
      } catch (error) {
        const known = toNshError(error);
        // What only reads is asked again where the connection broke under it; nothing else ever is.
        const isWorthwhile = !isWrite && !peer.isOpen && attempt < maxReadAttempts && performance.now() < end;
        if (!isWorthwhile || options.signal?.aborted === true) throw this.#explain(known, isWrite, options.signal);
        await pause(backoffDelayMs(attempt, watchBackoff, Math.random()), options.signal);
      }
    }
  }

  async #connect(options: CallOptions): Promise<RpcPeer> {
    try {
      return await giveUp(this.#options.connect(), { ...options, who: this.#options.who, isWrite: false });
    } catch (error) {
      const known = toNshError(error);
      throw isStoreError(known) || known.code === 'cancelled' ? known : this.#unavailable(known);
    }
  }

  #explain(error: NshError, isWrite: boolean, signal: AbortSignal | undefined): NshError {
    if (isStoreError(error)) return error;
    if (!unclear.has(error.code)) return this.#unavailable(error);
    if (isWrite) return storeUnknown(`${this.#options.who}: ${error.message}`, error);
    return signal?.aborted === true && error.code === 'cancelled' ? error : this.#unavailable(error);
  }

  #unavailable(error: NshError): NshError {
    return storeUnavailable(`${this.#options.who}: ${error.message}`, error);
  }

  #at(): { readonly at?: NodeId } {
    return this.#options.at === undefined ? {} : { at: this.#options.at };
  }
}

type StoreMethod = Exclude<Extract<MethodName, `store.${string}`>, 'store.reach'>;

/** ms until then, 1 at least. */
function left(end: number): number {
  return Math.max(1, Math.round(end - performance.now()));
}
