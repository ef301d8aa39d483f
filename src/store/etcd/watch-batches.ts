/**
 * Makes whole revisions of what etcd's watch sends: joins the fragments of one response, and cuts a response that tells of several
 * revisions. Pure. etcd never splits a revision but by fragments (mvcc/watcher_group.go, v3rpc/watch.go).
 */
import { compareKeys } from '../key-order.ts';
import type { WatchBatch, WatchEvent } from '../store.ts';
import { entryOf } from './convert.ts';
import type { WatchResponse } from './messages.ts';

type RawEvent = WatchResponse['events'][number];

export class WatchBatches {
  #from: bigint;
  #fragments: RawEvent[] = [];

  /** @param from what lies before this revision is left out */
  constructor(from: bigint) {
    this.#from = from;
  }

  /** What is whole with this response. */
  add({ events, fragment }: WatchResponse): WatchBatch[] {
    this.#fragments.push(...events);
    if (fragment) return [];
    const whole = this.#fragments;
    this.#fragments = [];
    const byRevision = new Map<bigint, WatchEvent[]>();
    for (const raw of whole) {
      const revision = raw.kv?.modRevision ?? 0n;
      if (revision < this.#from) continue;
      const batch = byRevision.get(revision);
      if (batch === undefined) byRevision.set(revision, [eventOf(raw)]);
      else batch.push(eventOf(raw));
    }
    const batches = [...byRevision].map(([revision, all]) => ({ revision, events: all.sort(byKey) }));
    const last = batches.at(-1);
    if (last !== undefined) this.#from = last.revision + 1n;
    return batches;
  }
}

/** mvccpb.Event.EventType */
const deleted = 1;

function eventOf({ type, kv, prevKv }: RawEvent): WatchEvent {
  if (kv === undefined) throw new Error('an event without a key');
  const entry = entryOf(kv);
  const previous = prevKv === undefined ? {} : { previous: entryOf(prevKv) };
  return type === deleted
    ? { type: 'delete', key: entry.key, ...previous }
    : { type: 'put', key: entry.key, entry, ...previous };
}

/** By the bytes of UTF-8; etcd tells them in the order of the transaction's steps. */
function byKey(a: WatchEvent, b: WatchEvent): number {
  return compareKeys(a.key, b.key);
}
