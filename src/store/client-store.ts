/**
 * One client of a store, over the calls of any backend: it keeps the sessions that were opened through it, and its `close` ends what it
 * still waits for without touching the backend, which may have other clients.
 */
import { checkKey, checkList, checkTtl, checkTxn, isSessionId } from './check-request.ts';
import { sessionLost, storeClosed, storeMisuse } from './errors.ts';
import { throwIfCancelled } from './give-up.ts';
import { KeptSession } from './kept-session.ts';
import type { StoreCalls } from './store-calls.ts';
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
} from './store.ts';

export class ClientStore implements Store {
  readonly #calls: StoreCalls;
  readonly #sessions = new Set<StoreSession>();
  readonly #onClose: (() => void) | undefined;
  /** Of what is under way; each fires with `storeClosed`. */
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  /** @param onClose ends what this client alone has of the backend. */
  constructor(calls: StoreCalls, onClose?: () => void) {
    this.#calls = calls;
    this.#onClose = onClose;
  }

  async get(key: string, options: CallOptions = {}): Promise<GetResult> {
    return await this.#call(options, (open) => {
      checkKey(key);
      return this.#calls.get(key, open);
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    return await this.#call(options, (open) => {
      checkList(prefix, options);
      return this.#calls.list(prefix, { ...options, ...open });
    });
  }

  async txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[] = [],
    options: CallOptions = {},
  ): Promise<TxnResult> {
    return await this.#call(options, (open) => {
      checkTxn(compares, then, otherwise);
      return this.#calls.txn(compares, then, otherwise, open);
    });
  }

  async *watch(prefix: string, fromRevision: bigint, { signal }: WatchOptions = {}): AsyncGenerator<WatchBatch> {
    if (this.#isClosed) throw storeClosed();
    checkList(prefix, {});
    if (fromRevision < 1n) throw storeMisuse(`a watch from revision ${fromRevision}`);
    const { controller, done } = this.#begin(signal);
    try {
      for await (const batch of this.#calls.watch(prefix, fromRevision, controller.signal))
        if (batch.events.length > 0) yield batch;
    } finally {
      done();
    }
    if (signal?.aborted !== true && this.#wasClosed()) throw storeClosed();
  }

  async openSession(ttlSeconds: number, options: SessionOptions = {}): Promise<StoreSession> {
    const sentAtMs = performance.now();
    const { id, ttlMs } = await this.#call(options, (open) => {
      checkTtl(ttlSeconds);
      return this.#calls.grant(ttlSeconds, open);
    });
    return this.#keep(id, { ttlMs, sentAtMs }, options);
  }

  async adoptSession(id: SessionId, options: SessionOptions = {}): Promise<StoreSession> {
    const sentAtMs = performance.now();
    const { ttlMs } = await this.#call(options, (open) => {
      if (!isSessionId(id)) throw sessionLost(id, 'it is the name of no session');
      return this.#calls.renew(id, open);
    });
    return this.#keep(id, { ttlMs, sentAtMs }, options);
  }

  async compact(revision: bigint, options: CallOptions = {}): Promise<void> {
    await this.#call(options, (open) => this.#calls.compact(revision, open));
  }

  async status(options: CallOptions = {}): Promise<StoreStatus> {
    return await this.#call(options, (open) => this.#calls.status(open));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const session of this.#sessions) session.release();
    for (const controller of this.#open) controller.abort(storeClosed());
    this.#onClose?.();
    await Promise.resolve();
  }

  async #call<T>(options: CallOptions, work: (open: CallOptions) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw storeClosed();
    throwIfCancelled(options);
    const { controller, done } = this.#begin(options.signal);
    const { deadlineMs } = options;
    try {
      return await work({ signal: controller.signal, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
    } catch (error) {
      throw this.#wasClosed() ? storeClosed() : error;
    } finally {
      done();
    }
  }

  /** Asked for again where the compiler believes that it cannot have changed. */
  #wasClosed(): boolean {
    return this.#isClosed;
  }

  #begin(signal: AbortSignal | undefined): { readonly controller: AbortController; readonly done: () => void } {
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(signal?.reason);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(controller);
    return {
      controller,
      done: () => {
        signal?.removeEventListener('abort', onAbort);
        this.#open.delete(controller);
        controller.abort();
      },
    };
  }

  #keep(
    id: SessionId,
    times: { readonly ttlMs: number; readonly sentAtMs: number },
    { onRenewed }: SessionOptions,
  ): StoreSession {
    const session: StoreSession = new KeptSession({
      id,
      ...times,
      calls: {
        renew: async (_, options) => {
          await this.#call(options, (open) => this.#calls.renew(id, open));
        },
        revoke: (_, options) => this.#call(options, (open) => this.#calls.revoke(id, open)),
      },
      onEnd: () => this.#sessions.delete(session),
      ...(onRenewed === undefined ? {} : { onRenewed }),
    });
    if (this.#isClosed) session.release();
    else this.#sessions.add(session);
    return session;
  }
}
