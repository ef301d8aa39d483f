/**
 * Values by key, below `kv/`, as they are: any program that speaks to the store can read them. A put whose answer does not come is
 * `storeUnknown`: the value has no room for an id by which it could be told from another's.
 */
import { isCompacted } from '../store/errors.ts';
import type { CallOptions, Entry, Store } from '../store/store.ts';
import { checkName, valuePrefix } from './keys.ts';
import { untilAnswered } from './patience.ts';

export interface KeptValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Of its last change. */
  readonly revision: bigint;
}

export interface PutOptions extends CallOptions {
  /** Only where its last change was at this revision; 0n: only where it is not there. Default: in any case. */
  readonly ifRevision?: bigint;
}

/** @returns undefined where it is not there. @throws NshError as `Store.get`; `usage` for a key that cannot be one. */
export async function getValue(store: Store, key: string, options: CallOptions = {}): Promise<KeptValue | undefined> {
  const { entry } = await store.get(storeKey(key), options);
  return entry === undefined ? undefined : kept(entry);
}

/** @returns its revision; undefined where `ifRevision` did not hold: nothing was written. @throws NshError as `Store.txn` */
export async function putValue(
  store: Store,
  key: string,
  value: Uint8Array,
  { ifRevision, ...options }: PutOptions = {},
): Promise<bigint | undefined> {
  const at = storeKey(key);
  const compares = ifRevision === undefined ? [] : ([{ key: at, on: 'mod', to: ifRevision }] as const);
  const { succeeded, revision } = await store.txn(compares, [{ op: 'put', key: at, value }], [], options);
  return succeeded ? revision : undefined;
}

/** @returns whether it was there, and at `ifRevision` where that is given. @throws NshError as `Store.txn` */
export async function deleteValue(
  store: Store,
  key: string,
  { ifRevision, ...options }: PutOptions = {},
): Promise<boolean> {
  const at = storeKey(key);
  const compares = ifRevision === undefined ? [] : ([{ key: at, on: 'mod', to: ifRevision }] as const);
  const { succeeded, results } = await store.txn(compares, [{ op: 'delete', key: at }], [], options);
  const [gone] = results;
  return succeeded && gone?.op === 'delete' && gone.deleted > 0;
}

/** Those whose keys begin with `prefix`, in the order of their keys. @throws NshError as `Store.list` */
export async function listValues(
  store: Store,
  prefix: string,
  options: CallOptions & { readonly keysOnly?: boolean } = {},
): Promise<{ readonly values: readonly KeptValue[]; readonly revision: bigint }> {
  const { entries, revision } = await store.list(`${valuePrefix}${prefix}`, options);
  return { values: entries.map((entry) => kept(entry)), revision };
}

/** `isFirst`: it was there when the watch began, or began anew. */
export type ValueChange =
  | ({ readonly type: 'put'; readonly isFirst: boolean } & KeptValue)
  | { readonly type: 'delete'; readonly key: string; readonly revision: bigint };

/**
 * What is below `prefix`, then every change of it, in order, none lost and none twice. Where the store has forgotten what came meanwhile it
 * begins anew with what is there then, and with deletions of what is not there any more.
 * @param signal ends it, without an error. @throws NshError `storeClosed`
 */
export async function* watchValues(store: Store, prefix: string, signal: AbortSignal): AsyncGenerator<ValueChange> {
  /** Revisions of what was told to be there. */
  const known = new Map<string, bigint>();
  while (!signal.aborted) {
    let listed: Awaited<ReturnType<typeof listValues>>;
    try {
      listed = await untilAnswered(signal, () => listValues(store, prefix, { signal }));
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const { values, revision } = listed;
    const there = new Set(values.map(({ key }) => key));
    for (const key of [...known.keys()].filter((each) => !there.has(each))) {
      known.delete(key);
      yield { type: 'delete', key, revision };
    }
    for (const value of values) {
      if (known.get(value.key) === value.revision) continue;
      known.set(value.key, value.revision);
      yield { type: 'put', isFirst: true, ...value };
    }
    try {
      for await (const batch of store.watch(`${valuePrefix}${prefix}`, revision + 1n, { signal })) {
        for (const event of batch.events) {
          const key = event.key.slice(valuePrefix.length);
          if (event.type === 'put') {
            known.set(key, batch.revision);
            yield { type: 'put', isFirst: false, ...kept(event.entry) };
          } else {
            known.delete(key);
            yield { type: 'delete', key, revision: batch.revision };
          }
        }
      }
    } catch (error) {
      if (!isCompacted(error)) throw error;
    }
  }
}

function kept({ key, value, modRevision }: Entry): KeptValue {
  return { key: key.slice(valuePrefix.length), value, revision: modRevision };
}

function storeKey(key: string): string {
  checkName('key', key);
  return `${valuePrefix}${key}`;
}
