/**
 * The coordination store: one interface, kept alike by every backend (etcd, the one embedded in an agent, the remote client of that
 * one, and the oracle of the tests). Locks, elections, groups and the cluster of record are written once, above it.
 *
 * The model is etcd's (https://etcd.io/docs/v3.5/learning/data_model/): one revision for the whole store, raised by one with each
 * transaction that changes something; every entry tells the revision that created it (a fencing token) and the one that changed it last.
 * All reads are linearizable. No backend ever repeats a write by itself: who gets `storeUnknown` finds out by reading.
 * What every method promises is tested in test/store/contract.ts; a new promise goes there too.
 */

declare const brand: unique symbol;
/** 1 to 16 hexadecimal digits (a-f), the first not 0: an etcd lease id. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Of the transaction that put it where there was none. Greater for every later holder of a key: the fencing token. */
  readonly createRevision: bigint;
  /** Of the transaction that put it last. */
  readonly modRevision: bigint;
  /** How many times it was put since it was created: 1 at first. */
  readonly version: bigint;
  /** The session whose end deletes it; absent: it stays. */
  readonly session?: SessionId;
}

export type Relation = '=' | '!=' | '<' | '>';

/**
 * What must hold of a key. Of a key that is not there create, mod and version are 0 and the session is undefined; a comparison with its
 * value never holds, not even `!=` (as in etcd). `is` is `=` where it is left out. Values compare byte by byte.
 */
export type Compare =
  | { readonly key: string; readonly on: 'create' | 'mod' | 'version'; readonly is?: Relation; readonly to: bigint }
  | { readonly key: string; readonly on: 'value'; readonly is?: Relation; readonly to: Uint8Array }
  | { readonly key: string; readonly on: 'session'; readonly is?: '=' | '!='; readonly to: SessionId | undefined };

/**
 * One step of a transaction. Steps see what earlier ones of the same transaction wrote. No key may be put twice, or put and deleted, in one
 * list of steps (`invalidParams`, as in etcd).
 */
export type Op =
  /** Without `session` the entry stays, also where it belonged to a session before. */
  | { readonly op: 'put'; readonly key: string; readonly value: Uint8Array; readonly session?: SessionId }
  | { readonly op: 'delete'; readonly key: string }
  | { readonly op: 'deletePrefix'; readonly prefix: string }
  | { readonly op: 'get'; readonly key: string }
  /** `limit`: default 0, all. */
  | { readonly op: 'list'; readonly prefix: string; readonly limit?: number; readonly keysOnly?: boolean };

/** In the order of the steps, each for its own. */
export type OpResult =
  | { readonly op: 'put' }
  /** How many entries went: 0 or 1, or any number for `deletePrefix`. */
  | { readonly op: 'delete' | 'deletePrefix'; readonly deleted: number }
  | { readonly op: 'get'; readonly entry?: Entry }
  | { readonly op: 'list'; readonly entries: readonly Entry[]; readonly more: boolean };

export interface CallOptions {
  /** ms until the call is given up; default 5,000. A read fails with `storeUnavailable`, a write that was sent with `storeUnknown`. */
  readonly deadlineMs?: number;
  /** Gives the call up: `cancelled`, or for a write that was sent `storeUnknown`. */
  readonly signal?: AbortSignal;
}

export interface GetResult {
  /** Absent: there is no such key. */
  readonly entry?: Entry;
  /** Of the store at the moment of the reading. */
  readonly revision: bigint;
}

export interface ListOptions extends CallOptions {
  /** At most so many entries; default 0: all. */
  readonly limit?: number;
  /** Entries come with empty values. */
  readonly keysOnly?: boolean;
  /** Only keys greater than this one: the last of the page before. */
  readonly after?: string;
  /** The store as it was at this revision; default: now. Below the compacted revision `storeCompacted`, in the future `invalidParams`. */
  readonly atRevision?: bigint;
}

export interface ListResult {
  /** In the order of the keys' UTF-8 bytes. */
  readonly entries: readonly Entry[];
  /** There are further ones beyond `limit`. */
  readonly more: boolean;
  /** Of the store at the moment of the reading, also with `atRevision`. */
  readonly revision: bigint;
}

export interface TxnResult {
  readonly succeeded: boolean;
  /** Of the store afterwards; where something was written, the revision of that. */
  readonly revision: bigint;
  readonly results: readonly OpResult[];
}

/** `previous` is what was there before; absent where nothing was, or where it has been compacted away. */
export type WatchEvent =
  | { readonly type: 'put'; readonly key: string; readonly entry: Entry; readonly previous?: Entry }
  | { readonly type: 'delete'; readonly key: string; readonly previous?: Entry };

/** All that one transaction changed below the prefix, in the order of the keys. */
export interface WatchBatch {
  readonly revision: bigint;
  readonly events: readonly WatchEvent[];
}

export interface WatchOptions {
  /** Ends the watch: its iteration is over, without an error. */
  readonly signal?: AbortSignal;
}

export interface SessionOptions extends CallOptions {
  /** Called with the new `deadline()` after each acknowledged renewal. It must not throw. */
  readonly onRenewed?: (deadline: number) => void;
}

export interface StoreMember {
  readonly name: string;
  /** Where it is reached: a URL, or a node. */
  readonly endpoint: string;
  readonly version?: string;
  readonly leader?: boolean;
  /** Why it is of no use now. */
  readonly problem?: string;
}

export interface StoreStatus {
  readonly backend: 'etcd' | 'embedded' | 'memory';
  /** Where it was asked for: URLs, or the node's name. */
  readonly endpoints: readonly string[];
  /** Of the backend's program; absent where nobody answers. Of several members the oldest. */
  readonly version?: string;
  /** `ok`: it serves and all members are well. `degraded`: it serves. `down`: it does not. */
  readonly health: 'ok' | 'degraded' | 'down';
  /** What a person should know: why it is not well, a version that is too old. */
  readonly warnings: readonly string[];
  readonly members: readonly StoreMember[];
  /** It goes on serving, with nothing lost, when any one of the members that are well now is lost. */
  readonly faultTolerant: boolean;
  /** Absent where it is down. */
  readonly revision?: bigint;
  /** Bytes on disk, of the largest member. */
  readonly sizeBytes?: number;
}

/**
 * Every call but `watch` and `close` takes a deadline (default 5 s) and a signal, and fails with an NshError:
 * `storeUnavailable` (certainly not applied), `storeUnknown` (a write that may have been applied), `tooLarge` (beyond src/store/limits.ts),
 * `invalidParams` (a programming error), `cancelled`, `storeClosed`.
 */
export interface Store {
  get(key: string, options?: CallOptions): Promise<GetResult>;

  /** Entries whose keys begin with `prefix`; '' is every key. @throws also `storeCompacted` */
  list(prefix: string, options?: ListOptions): Promise<ListResult>;

  /**
   * Does `then` where all comparisons hold (also where there are none), else `otherwise`: all of it or nothing, in one revision.
   * @throws also `sessionLost` where an entry is put for a session that has ended: nothing was applied.
   */
  txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise?: readonly Op[],
    options?: CallOptions,
  ): Promise<TxnResult>;

  /**
   * What changes below `prefix` from `fromRevision` on (that one included, at least 1; it may lie in the future), in order, each revision
   * whole, none lost and none twice, over any number of broken connections. It goes on until the signal, `close`, or the end of the
   * iteration; while the store cannot be reached it waits.
   * @throws in the iteration: `storeCompacted` where `fromRevision`, or the place where a slow reader stands, is at or below the compacted
   *   revision (list, and watch from that list's revision + 1); `storeClosed`.
   */
  watch(prefix: string, fromRevision: bigint, options?: WatchOptions): AsyncIterable<WatchBatch>;

  /**
   * A session lives while it is renewed at least every `ttlSeconds`, which its object does by itself (every third of it). etcd may grant
   * more than was asked for. When it ends its entries are deleted, all in one revision.
   * @param ttlSeconds a whole number from 1 on.
   */
  openSession(ttlSeconds: number, options?: SessionOptions): Promise<StoreSession>;

  /** Goes on with a session that an earlier process opened, and renews it. @throws also `sessionLost` where it has ended. */
  adoptSession(id: SessionId, options?: SessionOptions): Promise<StoreSession>;

  /**
   * Forgets what lies before `revision`: reads at older revisions and watches from this one or an older one fail from now on.
   * @throws also `storeCompacted` where that was done already, `invalidParams` where `revision` lies in the future.
   */
  compact(revision: bigint, options?: CallOptions): Promise<void>;

  /** Of a store that is down it tells that. @throws only where nobody can be asked about it: `storeUnavailable` */
  status(options?: CallOptions): Promise<StoreStatus>;

  /** Ends watches and calls with `storeClosed`, and releases sessions. Again: nothing. */
  close(): Promise<void>;
}

export interface StoreSession {
  readonly id: SessionId;
  readonly ttlMs: number;
  /**
   * When the store may end it at the earliest, in ms of `performance.now()` (monotonic): TTL after the *sending* of the last renewal that
   * was acknowledged. Whoever holds something through it must have stopped before.
   */
  deadline(): number;
  /**
   * Fires, with an NshError `sessionLost` as its reason, when the store says that it has ended, at the deadline by our own clock, or with
   * `close`.
   */
  readonly lost: AbortSignal;
  /**
   * Renews now, beside what happens by itself.
   * @throws NshError `sessionLost`; `storeUnavailable` or `storeUnknown` where no answer came: it goes on until the deadline.
   */
  renew(options?: CallOptions): Promise<void>;
  /** Ends it: its entries go at once. No error where it had ended already; else as for a write. */
  close(options?: CallOptions): Promise<void>;
  /** Stops renewing here and leaves it to live out its TTL, for another process to adopt. `lost` fires no more. */
  release(): void;
}
