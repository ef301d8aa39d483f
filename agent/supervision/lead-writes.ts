/**
 * What the leader decides about a group, as transactions: comparisons and steps, in parts that fit (src/store/limits.ts). Pure.
 *
 * Each of them puts the status and compares it with what was there before (`chain`): so a transaction whose answer did not come cannot be
 * done later behind another one's back, and what was decided by an old view of the group is refused.
 */
import type { Lead } from '../../src/policy/supervision/lead.ts';
import {
  aliveKey,
  eventPrefix,
  eventsKey,
  orderKey,
  reportKey,
  slotsKey,
  statusKey,
  sumKey,
  togetherKey,
  wantedKey,
} from '../../src/policy/supervision/store-keys.ts';
import {
  readEvents,
  writeEvents,
  writeOrder,
  writeRecords,
  writeStatus,
  writeSum,
  writeTogether,
} from '../../src/policy/supervision/stored.ts';
import { addEvents } from '../../src/policy/supervision/wanted.ts';
import type { Compare, Entry, Op } from '../../src/store/store.ts';
import type { LivingNode, StoredGroup } from './group-facts.ts';

export interface LeadTransaction {
  readonly compares: readonly Compare[];
  readonly ops: readonly Op[];
}

interface Source {
  readonly group: string;
  readonly stored: StoredGroup;
  readonly lead: Lead;
  readonly epoch: bigint;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly nodes: ReadonlyMap<number, LivingNode>;
  readonly nowMs: number;
}

/** Of 128; comparisons count for themselves. */
const maxOps = 100;

/** In their order; none where all is as it should be. */
export function transactionsOf(source: Source): LeadTransaction[] {
  const { group, stored, lead } = source;
  const unchanged: Compare = { key: wantedKey(group), on: 'mod', to: stored.serial };
  if (lead.isOver) return [{ compares: [unchanged], ops: removal(group, stored) }];
  const status: Op = { op: 'put', key: statusKey(group), value: Buffer.from(writeStatus(lead.status)) };
  const memory = memoryOps(source);
  const { ops, compares } = orderOps(source);
  // What is taken away goes first: nothing is given to one node in a transaction before it is taken from the other.
  const all = [...memory, ...ops];
  const isTold = textAt(source.entries, statusKey(group)) === writeStatus(lead.status);
  if (all.length === 0) return isTold ? [] : [{ compares: [unchanged], ops: [status] }];
  const parts: LeadTransaction[] = [];
  for (let at = 0; at < all.length; at += maxOps)
    parts.push({ compares: [unchanged, ...compares], ops: [status, ...all.slice(at, at + maxOps)] });
  return parts;
}

/** The status is as it was put last. @param revision of that; 0: it is not there. */
export function chain(group: string, revision: bigint): Compare {
  return { key: statusKey(group), on: 'mod', to: revision };
}

function memoryOps({ group, lead, entries, nowMs }: Source): Op[] {
  const { slots, sum, together, events } = lead;
  const ops: Op[] = [];
  const put = (key: string, text: string): void => {
    if (textAt(entries, key) !== text) ops.push({ op: 'put', key, value: Buffer.from(text) });
  };
  put(slotsKey(group), writeRecords(slots));
  put(sumKey(group), writeSum(sum));
  if (together !== undefined) put(togetherKey(group), writeTogether(together));
  else if (entries.has(togetherKey(group))) ops.push({ op: 'delete', key: togetherKey(group) });
  if (events.length === 0) return ops;
  const key = eventsKey(group, 'leader');
  const before = textAt(entries, key);
  const known = before === undefined ? [] : knownEvents(before, group);
  put(key, writeEvents(addEvents(known, ...events.map((event) => ({ atMs: nowMs, ...event })))));
  return ops;
}

function knownEvents(text: string, group: string): ReturnType<typeof readEvents> {
  try {
    return readEvents(text, group);
  } catch {
    // Written by another version: they are told anew from here on.
    return [];
  }
}

function orderOps({ group, stored, lead, epoch, nodes }: Source): { ops: Op[]; compares: Compare[] } {
  const gone: Op[] = [];
  const puts: Op[] = [];
  const compares: Compare[] = [];
  for (const [node, order] of lead.orders) {
    const key = orderKey(node, group);
    const isLost = !nodes.has(node);
    // A node that has come back meanwhile may just have read its order: then it still has it.
    if (isLost && stored.orders.has(node)) compares.push({ key: aliveKey(node), on: 'create', to: 0n });
    if (order === null) {
      gone.push({ op: 'delete', key });
      if (isLost) gone.push({ op: 'delete', key: reportKey(node, group) });
    } else puts.push({ op: 'put', key, value: Buffer.from(writeOrder({ ...order, epoch })) });
  }
  return { ops: [...gone, ...puts], compares: compares.slice(0, maxOps) };
}

function removal(group: string, { orders, reports }: StoredGroup): Op[] {
  const keys = [statusKey, slotsKey, sumKey, togetherKey, wantedKey].map((keyOf) => keyOf(group));
  const ofNodes = [...orders.keys()].map((node) => orderKey(node, group));
  const told = [...reports.keys()].slice(0, maxOps).map((node) => reportKey(node, group));
  return [
    ...[...keys, ...ofNodes, ...told].map((key): Op => ({ op: 'delete', key })),
    { op: 'deletePrefix', prefix: eventPrefix(group) },
  ];
}

function textAt(entries: ReadonlyMap<string, Entry>, key: string): string | undefined {
  const value = entries.get(key)?.value;
  return value === undefined ? undefined : Buffer.from(value).toString('utf8');
}
