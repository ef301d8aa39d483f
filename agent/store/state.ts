/**
 * The store in memory, as of the newest transaction: entries, sessions, history. No clock, no disk: each change is applied here at once and
 * told as a `Mutation`, which the database then makes lasting; what is answered waits for that (embedded-store.ts).
 */
import { sessionLost, storeCompacted, storeMisuse, storeTooLarge } from '../../src/store/errors.ts';
import { holds } from '../../src/store/compare.ts';
import { compareKeys } from '../../src/store/key-order.ts';
import type {
  Compare,
  Entry,
  ListOptions,
  Op,
  OpResult,
  SessionId,
  TxnResult,
  WatchBatch,
  WatchEvent,
} from '../../src/store/store.ts';
import { History, type HistoryLimits } from './history.ts';
import { SortedKeys } from './sorted-keys.ts';

/** What the database is to write: all of it, or nothing. */
export interface Mutation {
  readonly batch?: WatchBatch;
  readonly opened?: { readonly id: SessionId; readonly ttlSeconds: number };
  readonly ended?: SessionId;
  /** History up to this revision goes. */
  readonly compacted?: bigint;
}

/** What the database held. */
export interface Stored {
  readonly revision: bigint;
  readonly compacted: bigint;
  /** In the order of their keys. */
  readonly entries: readonly Entry[];
  /** From `compacted + 1` to `revision`; revision 1, which changed nothing, is left out. */
  readonly history: readonly WatchBatch[];
  readonly sessions: readonly { readonly id: SessionId; readonly ttlSeconds: number }[];
}

export interface StateLimits extends HistoryLimits {
  /** Of keys and values of all entries. */
  readonly maxTotalBytes: number;
}

interface Session {
  readonly ttlSeconds: number;
  readonly keys: Set<string>;
}

/** The empty store, as etcd begins: revision 1 is that of nothing. */
export const emptyStore: Stored = { revision: 1n, compacted: 0n, entries: [], history: [], sessions: [] };

export class StoreState {
  readonly #limits: StateLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #keys: SortedKeys;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #history: History;
  #revision: bigint;
  #totalBytes = 0;

  constructor(limits: StateLimits, { revision, compacted, entries, history, sessions }: Stored = emptyStore) {
    this.#limits = limits;
    this.#revision = revision;
    this.#history = new History(limits, compacted);
    if (compacted === 0n) this.#history.add({ revision: 1n, events: [] });
    for (const batch of history) this.#history.add(batch);
    for (const { id, ttlSeconds } of sessions) this.#sessions.set(id, { ttlSeconds, keys: new Set() });
    this.#keys = new SortedKeys(entries.map(({ key }) => key));
    for (const entry of entries) {
      this.#entries.set(entry.key, entry);
      this.#totalBytes += sizeOf(entry);
      if (entry.session !== undefined) this.#sessions.get(entry.session)?.keys.add(entry.key);
    }
  }

  get revision(): bigint {
    return this.#revision;
  }

  get history(): History {
    return this.#history;
  }

  get sessions(): Iterable<SessionId> {
    return this.#sessions.keys();
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** As it was then. @throws NshError `storeCompacted` */
  getAt(key: string, revision: bigint): Entry | undefined {
    if (revision === this.#revision) return this.#entries.get(key);
    const undone = this.#history.undo(revision, key);
    return undone.has(key) ? undone.get(key) : this.#entries.get(key);
  }

  /** What a transaction that reads, and compares nothing, would have had for its answer then. @throws NshError `storeCompacted` */
  readAt(reads: readonly ReadOp[], revision: bigint): TxnResult {
    const results = reads.map((read): OpResult => {
      if (read.op === 'list') return { op: 'list', ...this.list(read.prefix, { ...read, atRevision: revision }) };
      const entry = this.getAt(read.key, revision);
      return entry === undefined ? { op: 'get' } : { op: 'get', entry };
    });
    return { succeeded: true, revision, results };
  }

  /** @throws NshError `storeCompacted`; `invalidParams` where `atRevision` lies in the future. */
  list(prefix: string, options: ListOptions): { readonly entries: Entry[]; readonly more: boolean } {
    const { atRevision = this.#revision, limit = 0, after, keysOnly = false } = options;
    if (atRevision > this.#revision) throw storeMisuse(`revision ${atRevision} lies in the future`);
    const undone = this.#history.undo(atRevision, prefix);
    const keys =
      undone.size === 0 ? this.#keys.below(prefix, after) : this.#keysThen(prefix, after, [...undone.keys()]);
    const entries: Entry[] = [];
    for (const key of keys) {
      const entry = undone.has(key) ? undone.get(key) : this.#entries.get(key);
      if (entry === undefined) continue;
      if (limit > 0 && entries.length === limit) return { entries, more: true };
      entries.push(keysOnly ? { ...entry, value: nothing } : entry);
    }
    return { entries, more: false };
  }

  /** @throws NshError `sessionLost`, `tooLarge`; nothing is changed then. */
  txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[],
  ): { readonly result: TxnResult; readonly mutation?: Mutation } {
    const succeeded = compares.every((compare) => holds(compare, this.#entries.get(compare.key)));
    const ops = succeeded ? then : otherwise;
    this.#checkPuts(ops);
    const revision = this.#revision + 1n;
    const events = new Map<string, WatchEvent>();
    const results = ops.map((op) => this.#apply(op, revision, events));
    const mutation = this.#commit(events);
    const result = { succeeded, revision: this.#revision, results };
    return mutation === undefined ? { result } : { result, mutation };
  }

  openSession(id: SessionId, ttlSeconds: number): Mutation {
    this.#sessions.set(id, { ttlSeconds, keys: new Set() });
    return { opened: { id, ttlSeconds } };
  }

  /** Seconds. @throws NshError `sessionLost` */
  ttlOf(id: SessionId): number {
    return this.#session(id).ttlSeconds;
  }

  /** Deletes its entries with it. @throws NshError `sessionLost` */
  endSession(id: SessionId): Mutation {
    const { keys } = this.#session(id);
    const events = new Map<string, WatchEvent>();
    for (const key of keys) this.#delete(key, events);
    this.#sessions.delete(id);
    return { ...this.#commit(events), ended: id };
  }

  /** @throws NshError `storeCompacted`, `invalidParams` */
  compact(revision: bigint): Mutation {
    if (revision > this.#revision) throw storeMisuse(`revision ${revision} lies in the future`);
    if (revision <= this.#history.compacted) throw storeCompacted(this.#history.compacted);
    this.#history.compact(revision);
    return { compacted: revision };
  }

  #commit(events: Map<string, WatchEvent>): Mutation | undefined {
    if (events.size === 0) return undefined;
    this.#revision += 1n;
    const sorted = [...events.values()].sort((a, b) => compareKeys(a.key, b.key));
    const batch: WatchBatch = { revision: this.#revision, events: sorted };
    this.#history.add(batch);
    const compacted = this.#history.excess();
    if (compacted === undefined) return { batch };
    this.#history.compact(compacted);
    return { batch, compacted };
  }

  #apply(op: Op, revision: bigint, events: Map<string, WatchEvent>): OpResult {
    switch (op.op) {
      case 'put':
        this.#put(op, revision, events);
        return { op: 'put' };
      case 'delete':
        return { op: 'delete', deleted: this.#delete(op.key, events) };
      case 'deletePrefix': {
        const keys = [...this.#keys.below(op.prefix)];
        return { op: 'deletePrefix', deleted: keys.reduce((sum, key) => sum + this.#delete(key, events), 0) };
      }
      case 'get': {
        const entry = this.#entries.get(op.key);
        return entry === undefined ? { op: 'get' } : { op: 'get', entry };
      }
      default: {
        const { limit = 0, keysOnly = false } = op;
        return { op: 'list', ...this.#listNow(op.prefix, limit, keysOnly) };
      }
    }
  }

  #listNow(prefix: string, limit: number, keysOnly: boolean): { readonly entries: Entry[]; readonly more: boolean } {
    const entries: Entry[] = [];
    for (const key of this.#keys.below(prefix)) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      if (limit > 0 && entries.length === limit) return { entries, more: true };
      entries.push(keysOnly ? { ...entry, value: nothing } : entry);
    }
    return { entries, more: false };
  }

  #put(op: Op & { readonly op: 'put' }, revision: bigint, events: Map<string, WatchEvent>): void {
    const { key, session } = op;
    const previous = this.#entries.get(key);
    const entry: Entry = {
      key,
      value: Uint8Array.from(op.value),
      createRevision: previous?.createRevision ?? revision,
      modRevision: revision,
      version: (previous?.version ?? 0n) + 1n,
      ...(session === undefined ? {} : { session }),
    };
    if (previous === undefined) this.#keys.add(key);
    else this.#forget(previous);
    this.#entries.set(key, entry);
    this.#totalBytes += sizeOf(entry);
    if (session !== undefined) this.#session(session).keys.add(key);
    events.set(key, { type: 'put', key, entry, ...(previous === undefined ? {} : { previous }) });
  }

  /** @returns how many went: 0 or 1. */
  #delete(key: string, events: Map<string, WatchEvent>): number {
    const previous = this.#entries.get(key);
    if (previous === undefined) return 0;
    this.#forget(previous);
    this.#entries.delete(key);
    this.#keys.delete(key);
    events.set(key, { type: 'delete', key, previous });
    return 1;
  }

  #forget(entry: Entry): void {
    this.#totalBytes -= sizeOf(entry);
    if (entry.session !== undefined) this.#sessions.get(entry.session)?.keys.delete(entry.key);
  }

  #checkPuts(ops: readonly Op[]): void {
    let growth = 0;
    for (const op of ops) {
      if (op.op !== 'put') continue;
      if (op.session !== undefined) this.#session(op.session);
      const before = this.#entries.get(op.key);
      growth += op.key.length + op.value.length - (before === undefined ? 0 : sizeOf(before));
    }
    const { maxTotalBytes } = this.#limits;
    if (growth > 0 && this.#totalBytes + growth > maxTotalBytes)
      throw storeTooLarge(`it holds ${this.#totalBytes} bytes of ${maxTotalBytes}; delete what is not needed any more`);
  }

  #session(id: SessionId): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw sessionLost(id, 'the store does not know it, or knows it no more');
    return session;
  }

  #keysThen(prefix: string, after: string | undefined, changed: readonly string[]): string[] {
    const now = [...this.#keys.below(prefix, after)];
    const others = changed.filter(
      (key) => !this.#entries.has(key) && (after === undefined || compareKeys(key, after) > 0),
    );
    return [...now, ...others].sort(compareKeys);
  }
}

export type ReadOp = Extract<Op, { readonly op: 'get' | 'list' }>;

export function isRead(op: Op): op is ReadOp {
  return op.op === 'get' || op.op === 'list';
}

const nothing = new Uint8Array(0);

function sizeOf({ key, value }: Entry): number {
  return key.length + value.length;
}
