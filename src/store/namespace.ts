/** A part of a store, for a tenant that has it to itself: every key begins with a prefix that the tenant neither gives nor sees. */
import type {
  CallOptions,
  Compare,
  Entry,
  ListOptions,
  Op,
  OpResult,
  Store,
  TxnResult,
  WatchBatch,
  WatchEvent,
  WatchOptions,
} from './store.ts';

/**
 * The prefix counts against the length of a key. Revisions are the whole store's: what others do raises them too, and `compact` is
 * everybody's. Sessions are not parted, but nobody else can tell their ids.
 * @param prefix ends with a character that no name within it has, `/`, so that no tenant's prefix begins another's.
 */
export function withNamespace(store: Store, prefix: string): Store {
  return new NamespacedStore(store, prefix);
}

class NamespacedStore implements Store {
  readonly #store: Store;
  readonly #prefix: string;
  readonly openSession: Store['openSession'];
  readonly adoptSession: Store['adoptSession'];
  readonly compact: Store['compact'];
  readonly status: Store['status'];
  readonly close: Store['close'];

  constructor(store: Store, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
    this.openSession = (...args) => store.openSession(...args);
    this.adoptSession = (...args) => store.adoptSession(...args);
    this.compact = (...args) => store.compact(...args);
    this.status = (...args) => store.status(...args);
    this.close = () => store.close();
  }

  async get(key: string, options?: CallOptions): ReturnType<Store['get']> {
    const { entry, ...rest } = await this.#store.get(this.#key(key), options);
    return entry === undefined ? rest : { ...rest, entry: this.#strip(entry) };
  }

  async list(prefix: string, options: ListOptions = {}): ReturnType<Store['list']> {
    const { after } = options;
    const { entries, ...rest } = await this.#store.list(this.#prefix + prefix, {
      ...options,
      ...(after === undefined ? {} : { after: this.#prefix + after }),
    });
    return { ...rest, entries: entries.map((entry) => this.#strip(entry)) };
  }

  async txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[] = [],
    options?: CallOptions,
  ): Promise<TxnResult> {
    const { results, ...rest } = await this.#store.txn(
      compares.map((compare) => ({ ...compare, key: this.#key(compare.key) })),
      then.map((op) => this.#op(op)),
      otherwise.map((op) => this.#op(op)),
      options,
    );
    return { ...rest, results: results.map((result) => this.#result(result)) };
  }

  async *watch(prefix: string, fromRevision: bigint, options?: WatchOptions): AsyncGenerator<WatchBatch> {
    for await (const { revision, events } of this.#store.watch(this.#prefix + prefix, fromRevision, options))
      yield { revision, events: events.map((event) => this.#event(event)) };
  }

  /** An empty key stays one, and is refused. */
  #key(key: string): string {
    return key === '' ? '' : this.#prefix + key;
  }

  #op(op: Op): Op {
    return 'prefix' in op ? { ...op, prefix: this.#prefix + op.prefix } : { ...op, key: this.#key(op.key) };
  }

  #result(result: OpResult): OpResult {
    if (result.op === 'get')
      return result.entry === undefined ? result : { ...result, entry: this.#strip(result.entry) };
    if (result.op === 'list') return { ...result, entries: result.entries.map((entry) => this.#strip(entry)) };
    return result;
  }

  #event(event: WatchEvent): WatchEvent {
    const key = event.key.slice(this.#prefix.length);
    const was = event.previous === undefined ? {} : { previous: this.#strip(event.previous) };
    return event.type === 'put'
      ? { type: 'put', key, entry: this.#strip(event.entry), ...was }
      : { type: 'delete', key, ...was };
  }

  #strip(entry: Entry): Entry {
    return { ...entry, key: entry.key.slice(this.#prefix.length) };
  }
}
