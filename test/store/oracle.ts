/**
 * The store as plainly as it can be said: every revision keeps a map of all entries. Slow, and obviously right: what the embedded
 * backend is compared with, and the first that the contract is tried on.
 */
import { checkKey, checkList, checkTtl, checkTxn } from '../../src/store/check-request.ts';
import { sessionLost, storeClosed, storeCompacted, storeMisuse } from '../../src/store/errors.ts';
import { KeptSession } from '../../src/store/kept-session.ts';
import type {
  CallOptions,
  Compare,
  Entry,
  GetResult,
  ListOptions,
  ListResult,
  Op,
  OpResult,
  SessionId,
  SessionOptions,
  Store,
  StoreSession,
  StoreStatus,
  TxnResult,
  WatchBatch,
  WatchEvent,
  WatchOptions,
} from '../../src/store/store.ts';
import { NshError } from '../../src/protocol/errors.ts';

type State = ReadonlyMap<string, Entry>;

/** What all clients of one oracle share. */
export class OracleCore {
  /** By revision. Revision 1 is the empty store, 0 nothing. */
  readonly states: State[] = [new Map(), new Map()];
  readonly sessions = new Map<SessionId, { readonly ttlMs: number; deadline: number }>();
  compacted = 0n;
  #nextSession = 1;
  readonly #waiters = new Set<() => void>();

  get revision(): bigint {
    return BigInt(this.states.length - 1);
  }

  at(revision: bigint): State {
    const state = this.states[Number(revision)];
    if (state === undefined) throw storeMisuse(`revision ${revision} lies in the future`);
    if (revision < this.compacted) throw storeCompacted(this.compacted);
    return state;
  }

  get now(): State {
    return this.at(this.revision);
  }

  txn(compares: readonly Compare[], then: readonly Op[], otherwise: readonly Op[]): TxnResult {
    checkTxn(compares, then, otherwise);
    const succeeded = compares.every((compare) => holds(compare, this.now.get(compare.key)));
    const ops = succeeded ? then : otherwise;
    for (const op of ops) {
      if (op.op === 'put' && op.session !== undefined) this.session(op.session);
    }
    const draft = new Map(this.now);
    const revision = this.revision + 1n;
    let isChanged = false;
    const results = ops.map((op): OpResult => {
      switch (op.op) {
        case 'put': {
          const before = draft.get(op.key);
          draft.set(op.key, {
            key: op.key,
            value: Uint8Array.from(op.value),
            createRevision: before?.createRevision ?? revision,
            modRevision: revision,
            version: (before?.version ?? 0n) + 1n,
            ...(op.session === undefined ? {} : { session: op.session }),
          });
          isChanged = true;
          return { op: 'put' };
        }
        case 'delete':
        case 'deletePrefix': {
          const keys = op.op === 'delete' ? [op.key] : [...draft.keys()].filter((key) => key.startsWith(op.prefix));
          const deleted = keys.filter((key) => draft.delete(key)).length;
          if (deleted > 0) isChanged = true;
          return { op: op.op, deleted };
        }
        case 'get': {
          const entry = draft.get(op.key);
          return { op: 'get', ...(entry === undefined ? {} : { entry }) };
        }
        case 'list':
          return { op: 'list', ...select(draft, op.prefix, op) };
        default:
          throw new Error('no such step');
      }
    });
    if (isChanged) this.#commit(draft);
    return { succeeded, revision: this.revision, results };
  }

  /** @throws NshError `sessionLost` */
  session(id: SessionId): { readonly ttlMs: number; deadline: number } {
    const session = this.sessions.get(id);
    if (session === undefined) throw sessionLost(id, 'the store does not know it');
    return session;
  }

  open(ttlSeconds: number): SessionId {
    checkTtl(ttlSeconds);
    const id = (this.#nextSession++).toString(16) as SessionId;
    this.sessions.set(id, { ttlMs: ttlSeconds * 1000, deadline: 0 });
    this.renew(id);
    return id;
  }

  renew(id: SessionId): void {
    const session = this.session(id);
    session.deadline = performance.now() + session.ttlMs;
    const check = (): void => {
      if (this.sessions.get(id) !== session) return;
      if (performance.now() >= session.deadline) this.end(id);
      else setTimeout(check, session.deadline - performance.now() + 1).unref();
    };
    setTimeout(check, session.ttlMs + 1).unref();
  }

  end(id: SessionId): void {
    this.session(id);
    this.sessions.delete(id);
    const left = [...this.now].filter(([, entry]) => entry.session !== id);
    if (left.length < this.now.size) this.#commit(new Map(left));
  }

  compact(revision: bigint): void {
    if (revision > this.revision) throw storeMisuse(`revision ${revision} lies in the future`);
    if (revision <= this.compacted) throw storeCompacted(this.compacted);
    this.compacted = revision;
  }

  /** Undefined where that revision is still to come. @throws NshError `storeCompacted` */
  batch(revision: bigint, prefix: string): WatchBatch | undefined {
    if (revision > this.revision) return undefined;
    if (revision <= this.compacted) throw storeCompacted(this.compacted);
    const before = this.states[Number(revision - 1n)] ?? new Map<string, Entry>();
    const after = this.at(revision);
    const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => key.startsWith(prefix));
    const events = keys.sort(byBytes).flatMap((key): WatchEvent[] => {
      const previous = before.get(key);
      const entry = after.get(key);
      const was = previous === undefined ? {} : { previous };
      if (entry === undefined) return [{ type: 'delete', key, ...was }];
      return entry.modRevision === revision ? [{ type: 'put', key, entry, ...was }] : [];
    });
    return { revision, events };
  }

  /** Resolves with the next change, or when `wake` is called. */
  changed(): { readonly promise: Promise<void>; readonly wake: () => void } {
    let wake: () => void = () => undefined;
    const promise = new Promise<void>((resolve) => {
      wake = () => {
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
    });
    return { promise, wake };
  }

  #commit(state: State): void {
    this.states.push(state);
    for (const wake of this.#waiters) wake();
  }
}

/** One client of an oracle. */
export class OracleStore implements Store {
  readonly #core: OracleCore;
  readonly #closed = new AbortController();
  readonly #sessions = new Set<StoreSession>();

  constructor(core: OracleCore) {
    this.#core = core;
  }

  async get(key: string, options: CallOptions = {}): Promise<GetResult> {
    this.#check(options);
    checkKey(key);
    const entry = this.#core.now.get(key);
    return await Promise.resolve({ revision: this.#core.revision, ...(entry === undefined ? {} : { entry }) });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    this.#check(options);
    checkList(prefix, options);
    const { revision } = this.#core;
    return await Promise.resolve({
      ...select(this.#core.at(options.atRevision ?? revision), prefix, options),
      revision,
    });
  }

  async txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[] = [],
    options: CallOptions = {},
  ): Promise<TxnResult> {
    this.#check(options);
    return await Promise.resolve(this.#core.txn(compares, then, otherwise));
  }

  async *watch(prefix: string, fromRevision: bigint, { signal }: WatchOptions = {}): AsyncGenerator<WatchBatch> {
    if (fromRevision < 1n) throw storeMisuse(`a watch from revision ${fromRevision}`);
    for (let next = fromRevision; ; ) {
      if (signal?.aborted === true) return;
      this.#check({});
      const batch = this.#core.batch(next, prefix);
      if (batch === undefined) {
        const { promise, wake } = this.#core.changed();
        const ends = [this.#closed.signal, ...(signal === undefined ? [] : [signal])];
        for (const end of ends) end.addEventListener('abort', wake);
        await promise;
        for (const end of ends) end.removeEventListener('abort', wake);
        continue;
      }
      next++;
      if (batch.events.length > 0) yield batch;
    }
  }

  async openSession(ttlSeconds: number, options: SessionOptions = {}): Promise<StoreSession> {
    this.#check(options);
    return await Promise.resolve(this.#keep(this.#core.open(ttlSeconds), options));
  }

  async adoptSession(id: SessionId, options: SessionOptions = {}): Promise<StoreSession> {
    this.#check(options);
    this.#core.renew(id);
    return await Promise.resolve(this.#keep(id, options));
  }

  async compact(revision: bigint, options: CallOptions = {}): Promise<void> {
    this.#check(options);
    await Promise.resolve(this.#core.compact(revision));
  }

  async status(): Promise<StoreStatus> {
    return await Promise.resolve({
      backend: 'memory',
      endpoints: [],
      health: 'ok',
      warnings: [],
      members: [{ name: 'memory', endpoint: 'memory' }],
      faultTolerant: false,
      revision: this.#core.revision,
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    for (const session of this.#sessions) session.release();
    await Promise.resolve();
  }

  #check({ signal }: CallOptions): void {
    if (this.#closed.signal.aborted) throw storeClosed();
    if (signal?.aborted === true) throw new NshError('cancelled', 'nobody waits any more');
  }

  #keep(id: SessionId, { onRenewed }: SessionOptions): StoreSession {
    const core = this.#core;
    const session: StoreSession = new KeptSession({
      id,
      ttlMs: core.session(id).ttlMs,
      sentAtMs: performance.now(),
      calls: {
        renew: async () => await Promise.resolve(core.renew(id)),
        revoke: async () => await Promise.resolve(core.end(id)),
      },
      onEnd: () => this.#sessions.delete(session),
      ...(onRenewed === undefined ? {} : { onRenewed }),
    });
    this.#sessions.add(session);
    return session;
  }
}

function holds(compare: Compare, entry: Entry | undefined): boolean {
  switch (compare.on) {
    case 'create':
      return relates(compareBigints(entry?.createRevision ?? 0n, compare.to), compare.is);
    case 'mod':
      return relates(compareBigints(entry?.modRevision ?? 0n, compare.to), compare.is);
    case 'version':
      return relates(compareBigints(entry?.version ?? 0n, compare.to), compare.is);
    case 'value':
      return entry !== undefined && relates(Buffer.compare(entry.value, compare.to), compare.is);
    case 'session':
      return (entry?.session === compare.to) === (compare.is !== '!=');
    default:
      throw new Error('no such comparison');
  }
}

function relates(order: number, is: '=' | '!=' | '<' | '>' = '='): boolean {
  return { '=': order === 0, '!=': order !== 0, '<': order < 0, '>': order > 0 }[is];
}

function compareBigints(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function select(
  state: State,
  prefix: string,
  { limit = 0, after, keysOnly = false }: { limit?: number; after?: string; keysOnly?: boolean },
): { entries: Entry[]; more: boolean } {
  const all = [...state.values()]
    .filter(({ key }) => key.startsWith(prefix) && (after === undefined || byBytes(key, after) > 0))
    .sort((a, b) => byBytes(a.key, b.key));
  const entries = limit === 0 ? all : all.slice(0, limit);
  return {
    entries: keysOnly ? entries.map((entry) => ({ ...entry, value: new Uint8Array(0) })) : entries,
    more: entries.length < all.length,
  };
}
