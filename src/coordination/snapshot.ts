/** All that is known of a place at one revision: its queue, the number agreed on, and the gate of a barrier. */
import type { Entry, Op, OpResult, Store } from '../store/store.ts';
import { gateKeyOf, sizeKeyOf, type Place } from './keys.ts';
import { untilAnswered } from './patience.ts';
import { readQueue, type QueuedClaim } from './queue.ts';

export interface Snapshot {
  readonly revision: bigint;
  readonly queue: readonly QueuedClaim[];
  readonly size?: Entry;
  readonly gate?: Entry;
}

/** Steps that read it; they may follow others in a transaction, none of which reads. */
export function snapshotOps(place: Place): Op[] {
  const list: Op = { op: 'list', prefix: place.prefix, keysOnly: true };
  const keys = [...(isSized(place) ? [sizeKeyOf(place)] : []), ...(place.kind === 'barrier' ? [gateKeyOf(place)] : [])];
  return [list, ...keys.map((key): Op => ({ op: 'get', key }))];
}

/** From the results of a transaction that had `snapshotOps` among its steps, and no other reading ones. */
export function snapshotOf(place: Place, revision: bigint, results: readonly OpResult[]): Snapshot {
  const entries = results.flatMap((result) => (result.op === 'list' ? result.entries : []));
  const single = results.flatMap((result) => (result.op === 'get' ? [result.entry] : []));
  const find = (key: string): Entry | undefined => single.find((entry) => entry?.key === key);
  const [size, gate] = [find(sizeKeyOf(place)), find(gateKeyOf(place))];
  return {
    revision,
    queue: readQueue(place, entries),
    ...(size === undefined ? {} : { size }),
    ...(gate === undefined ? {} : { gate }),
  };
}

/** @throws what `signal` fired with, and the store's errors but `storeUnavailable`. */
export async function look(store: Store, place: Place, signal: AbortSignal): Promise<Snapshot> {
  const { revision, results } = await untilAnswered(signal, () => store.txn([], snapshotOps(place), [], { signal }));
  return snapshotOf(place, revision, results);
}

/** All who name it agree on how many. */
export function isSized({ kind }: Place): boolean {
  return kind === 'semaphore' || kind === 'barrier';
}

export function encodeSize(size: number): Uint8Array {
  return Buffer.from(String(size));
}

export function readSize({ value }: Entry): string {
  return Buffer.from(value).toString('utf8');
}
