/**
 * What a backend itself does. Everything that is alike for all of them (sessions that renew themselves, closing) is made from these calls by
 * ClientStore; an agent serves them to others. Promises and errors are those of src/store/store.ts.
 */
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
} from './store.ts';

export interface Granted {
  readonly id: SessionId;
  readonly ttlMs: number;
}

export interface StoreCalls {
  get(key: string, options: CallOptions): Promise<GetResult>;
  list(prefix: string, options: ListOptions): Promise<ListResult>;
  txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[],
    options: CallOptions,
  ): Promise<TxnResult>;
  /**
   * Ends, without an error, when the signal fires. A batch without events says that nothing more comes up to its revision: whoever has to
   * begin anew later need not go back further, to what may be compacted by then.
   */
  watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /** Begins a session, which lives for one TTL unless it is renewed. */
  grant(ttlSeconds: number, options: CallOptions): Promise<Granted>;
  /** @returns its TTL. @throws NshError `sessionLost` */
  renew(id: SessionId, options: CallOptions): Promise<{ readonly ttlMs: number }>;
  /** Ends a session and its entries. @throws NshError `sessionLost` */
  revoke(id: SessionId, options: CallOptions): Promise<void>;
  compact(revision: bigint, options: CallOptions): Promise<void>;
  status(options: CallOptions): Promise<StoreStatus>;
}
