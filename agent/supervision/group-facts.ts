/** What the leader goes by, out of the entries of the store: everything of each group, and the nodes. What cannot be read is left out and told. */
import type { PlaceableNode } from '../../src/policy/placement/place.ts';
import type { StoredGroup } from '../../src/policy/supervision/lead.ts';
import {
  aliveKey,
  alivePrefix,
  drainedKey,
  orderPrefixes,
  readGroupKey,
  readNodeGroupKey,
  readNodeKey,
  reportPrefixes,
  slotsKey,
  statusKey,
  sumKey,
  togetherKey,
  wantedPrefix,
} from '../../src/policy/supervision/store-keys.ts';
import {
  readOrder,
  readPresence,
  readRecords,
  readReport,
  readStatus,
  readSum,
  readTogether,
  readWanted,
} from '../../src/policy/supervision/stored.ts';
import type { NodePresence } from '../../src/policy/supervision/wanted.ts';
import { parseRecord, recordKey, type ClusterRecord } from '../../src/coordination/cluster-record.ts';
import type { Entry } from '../../src/store/store.ts';
import { log } from '../daemon/log.ts';
import { haveSame } from './settled.ts';

export interface LivingNode extends NodePresence {
  readonly id: number;
  readonly isDrained: boolean;
  /** Modification revision of what it says of itself. */
  readonly serial: bigint;
}

type Entries = ReadonlyMap<string, Entry>;

/** Texts that were read before, with what they came to: most do not change from one look to the next. */
export class GroupReader {
  readonly #read = new Map<string, { readonly revision: bigint; readonly value: unknown }>();
  #groups: ReadonlyMap<string, StoredGroup> = new Map();

  /** A group of which nothing has changed is the same object as the last time. */
  groups(entries: Entries): Map<string, StoredGroup> {
    const found = new Map<string, StoredGroup>();
    const orders = this.#byGroup(entries, orderPrefixes, (text, group, revision) => readOrder(text, group, revision));
    const reports = this.#byGroup(entries, reportPrefixes, (text, group) => readReport(text, group));
    for (const [key, entry] of entries) {
      const group = readGroupKey(wantedPrefix, key);
      if (group === undefined) continue;
      const wanted = this.#value(entry, (text) => readWanted(text, group));
      if (wanted === undefined) continue;
      const at = <T>(name: string, read: (text: string) => T): T | undefined => {
        const known = entries.get(name);
        return known === undefined ? undefined : this.#value(known, read);
      };
      const stored: StoredGroup = {
        wanted,
        serial: entry.modRevision,
        status: at(statusKey(group), (text) => readStatus(text, group)),
        slots: at(slotsKey(group), readRecords) ?? nothing,
        sum: at(sumKey(group), readSum),
        together: at(togetherKey(group), readTogether),
        orders: orders.get(group) ?? nothing,
        reports: reports.get(group) ?? nothing,
      };
      const before = this.#groups.get(group);
      found.set(group, before !== undefined && isSame(before, stored) ? before : stored);
    }
    this.#groups = found;
    for (const key of this.#read.keys()) if (!entries.has(key) && key.startsWith('group/')) this.#read.delete(key);
    return found;
  }

  nodes(entries: Entries): Map<number, LivingNode> {
    const found = new Map<number, LivingNode>();
    for (const [key, entry] of entries) {
      const id = readNodeKey(alivePrefix, key);
      if (id === undefined || key !== aliveKey(id)) continue;
      const presence = this.#value(entry, (text) => readPresence(text, id));
      if (presence === undefined) continue;
      found.set(id, { ...presence, id, isDrained: entries.has(drainedKey(id)), serial: entry.modRevision });
    }
    return found;
  }

  record(entries: Entries): ClusterRecord | undefined {
    const entry = entries.get(recordKey);
    return entry === undefined ? undefined : this.#value(entry, () => parseRecord(entry.value));
  }

  #byGroup<T>(
    entries: Entries,
    prefix: typeof orderPrefixes | typeof reportPrefixes,
    read: (text: string, group: string, revision: bigint) => T,
  ): Map<string, Map<number, T>> {
    const found = new Map<string, Map<number, T>>();
    for (const [key, entry] of entries) {
      const of = readNodeGroupKey(prefix, key);
      if (of === undefined) continue;
      const value = this.#value(entry, (text) => read(text, of.group, entry.modRevision));
      if (value === undefined) continue;
      const nodes = found.get(of.group) ?? new Map<number, T>();
      found.set(of.group, nodes.set(of.node, value));
    }
    return found;
  }

  #value<T>({ key, value, modRevision }: Entry, read: (text: string) => T): T | undefined {
    const known = this.#read.get(key);
    if (known?.revision === modRevision) return known.value as T | undefined;
    let result: T | undefined;
    try {
      result = read(Buffer.from(value).toString('utf8'));
    } catch (error) {
      log('groups: the leader cannot read', { key, message: String(error) });
    }
    this.#read.set(key, { revision: modRevision, value: result });
    return result;
  }
}

const nothing: ReadonlyMap<number, never> = new Map<number, never>();

/** What was read from the same revision of a key is the same object. */
function isSame(a: StoredGroup, b: StoredGroup): boolean {
  return (
    a.serial === b.serial &&
    (['wanted', 'status', 'slots', 'sum', 'together'] as const).every((part) => a[part] === b[part]) &&
    haveSame(a.orders, b.orders) &&
    haveSame(a.reports, b.reports)
  );
}

/** @param record the cluster of record, where there is one: a node that is not in it is treated as drained. */
export function placeableNode(node: LivingNode, record: ClusterRecord | undefined): PlaceableNode {
  const { id, memTotalBytes, memAvailableBytes } = node;
  const recorded = record?.nodes.find((each) => each.id === id);
  const name = recorded?.name ?? node.name;
  const labels = record === undefined ? (node.labels ?? []) : (recorded?.labels ?? []);
  const isDrained = node.isDrained || (record !== undefined && recorded === undefined);
  return { id, name, labels, isAlive: true, isDrained, memTotalBytes, memAvailableBytes };
}
