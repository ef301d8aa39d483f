/** All that the store has of groups and of the nodes that run them, as it was in one moment. */
import {
  readDrained,
  readOrder,
  readPresence,
  readReport,
  readStatus,
  readWanted,
} from '../../policy/supervision/stored.ts';
import {
  alivePrefix,
  drainedPrefix,
  eventPrefix,
  orderPrefixes,
  readGroupKey,
  readNodeGroupKey,
  readNodeKey,
  reportPrefixes,
  statusPrefix,
  wantedPrefix,
} from '../../policy/supervision/store-keys.ts';
import { readEvents } from '../../policy/supervision/stored.ts';
import type { GroupReport, Order } from '../../policy/supervision/order.ts';
import type { Drained, GroupEvent, GroupStatus, NodePresence, Wanted } from '../../policy/supervision/wanted.ts';
import { NshError, toNshError } from '../../protocol/errors.ts';
import type { CallOptions, Entry, Store } from '../../store/store.ts';
import { recordKey, seenRecord, type SeenRecord } from '../cluster-record.ts';

export interface OnNode<T> {
  readonly node: number;
  readonly what: T;
}

export interface GroupsSnapshot {
  /** Of the store, when it was read: a watch from the next one on misses nothing. */
  readonly revision: bigint;
  readonly record: SeenRecord;
  /** Name → what is wanted, and the revision of that. */
  readonly wanted: ReadonlyMap<string, { readonly wanted: Wanted; readonly revision: bigint }>;
  readonly statuses: ReadonlyMap<string, GroupStatus>;
  readonly orders: readonly OnNode<Order>[];
  readonly reports: readonly OnNode<GroupReport>[];
  /** Node id → its agent takes part. */
  readonly present: ReadonlyMap<number, NodePresence>;
  readonly drained: ReadonlyMap<number, Drained>;
  /** What could not be read, for people: the rest is shown all the same. */
  readonly problems: readonly string[];
}

const prefixes = [wantedPrefix, statusPrefix, orderPrefixes, reportPrefixes, alivePrefix, drainedPrefix] as const;

/** @throws NshError as `Store.txn` */
export async function readGroups(store: Store, options: CallOptions = {}): Promise<GroupsSnapshot> {
  const { results, revision } = await store.txn(
    [],
    [...prefixes.map((prefix) => ({ op: 'list', prefix }) as const), { op: 'get', key: recordKey }],
    [],
    options,
  );
  const problems: string[] = [];
  /** Undefined where it cannot be read, which is said. */
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof NshError)) throw error;
      problems.push(toNshError(error).message);
      return undefined;
    }
  };
  const entriesOf = (index: number): readonly Entry[] => {
    const result = results[index];
    return result?.op === 'list' ? result.entries : [];
  };
  const byName = <T>(index: number, prefix: string, read: (text: string, name: string, entry: Entry) => T) =>
    new Map(
      entriesOf(index).flatMap((entry): [string, T][] => {
        const name = readGroupKey(prefix, entry.key);
        const value = name === undefined ? undefined : attempt(() => read(textOf(entry), name, entry));
        return name === undefined || value === undefined ? [] : [[name, value]];
      }),
    );
  const byNode = <T>(index: number, prefix: typeof alivePrefix | typeof drainedPrefix, read: Reader<T>) =>
    new Map(
      entriesOf(index).flatMap((entry): [number, T][] => {
        const node = readNodeKey(prefix, entry.key);
        const value = node === undefined ? undefined : attempt(() => read(textOf(entry), node));
        return node === undefined || value === undefined ? [] : [[node, value]];
      }),
    );
  const onNodes = <T>(
    index: number,
    prefix: typeof orderPrefixes | typeof reportPrefixes,
    read: (text: string, group: string, entry: Entry) => T,
  ) =>
    entriesOf(index).flatMap((entry): OnNode<T>[] => {
      const place = readNodeGroupKey(prefix, entry.key);
      const what = place === undefined ? undefined : attempt(() => read(textOf(entry), place.group, entry));
      return place === undefined || what === undefined ? [] : [{ node: place.node, what }];
    });
  const last = results[prefixes.length];
  return {
    revision,
    record: attempt(() => seenRecord(last?.op === 'get' ? last.entry : undefined)) ?? { revision: 0n },
    wanted: byName(0, wantedPrefix, (text, name, { modRevision }) => ({
      wanted: readWanted(text, name),
      revision: modRevision,
    })),
    statuses: byName(1, statusPrefix, readStatus),
    orders: onNodes(2, orderPrefixes, (text, group, { modRevision }) => readOrder(text, group, modRevision)),
    reports: onNodes(3, reportPrefixes, readReport),
    present: byNode(4, alivePrefix, readPresence),
    drained: byNode(5, drainedPrefix, readDrained),
    problems,
  };
}

type Reader<T> = (text: string, node: number) => T;

export interface ToldEvent extends GroupEvent {
  /** A node's id, `leader` or `person`. */
  readonly who: string;
}

export interface ToldEvents {
  readonly events: readonly ToldEvent[];
  readonly revision: bigint;
  /** Writers whose events cannot be read, and why. */
  readonly problems: readonly string[];
}

/** What happened to a group, the oldest first, as far as it is kept and can be read. @throws NshError as `Store.list` */
export async function readGroupEvents(store: Store, group: string, options: CallOptions = {}): Promise<ToldEvents> {
  const prefix = eventPrefix(group);
  const { entries, revision } = await store.list(prefix, options);
  const problems: string[] = [];
  const events = entries.flatMap((entry) => {
    const who = entry.key.slice(prefix.length);
    try {
      return readEvents(textOf(entry), group).map((event): ToldEvent => ({ ...event, who }));
    } catch (error) {
      problems.push(`by ${who}: ${toNshError(error).message}`);
      return [];
    }
  });
  // The sort is stable: what one writer says stays in its order.
  return { events: events.sort((a, b) => a.atMs - b.atMs), revision, problems };
}

function textOf({ value }: Entry): string {
  return Buffer.from(value).toString('utf8');
}
