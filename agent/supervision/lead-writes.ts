/**
 * What the leader decides about a group, as transactions: comparisons and steps, in parts that fit (src/store/limits.ts). Pure.
 *
 * Each of them puts the status and compares it with what was there before (`chain`): so a transaction whose answer did not come cannot be
 * done later behind another one's back, and what was decided by an old view of the group is refused.
 */
import type { Lead, StoredGroup } from '../../src/policy/supervision/lead.ts';
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
import { opOverheadBytes } from '../../src/store/limits.ts';
import type { Compare, Entry, Op } from '../../src/store/store.ts';
import type { LivingNode } from './group-facts.ts';

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

/** What belongs together: none of it is done without the rest. */
interface Step {
  readonly ops: readonly Op[];
  readonly compare?: Compare;
}

/** Of 128 steps, and as many comparisons; there are a few more in each transaction. */
const maxOps = 100;
/** Of 1.5 MiB: keys get the prefix of their namespace, too. */
const maxBytes = 1_000_000;

/** In their order; none where all is as it should be. */
export function transactionsOf(source: Source): LeadTransaction[] {
  const { group, stored, lead } = source;
  const unchanged: Compare = { key: wantedKey(group), on: 'mod', to: stored.serial };
  const status: Op = { op: 'put', key: statusKey(group), value: Buffer.from(writeStatus(lead.status)) };
  const inParts = (steps: readonly Step[]): LeadTransaction[] =>
    partsOf(steps, bytesOf([status])).map((part) => ({
      compares: [unchanged, ...part.flatMap(({ compare }) => compare ?? [])],
      ops: [status, ...part.flatMap(({ ops }) => ops)],
    }));
  if (lead.isOver) return [...inParts(leftovers(group, stored)), { compares: [unchanged], ops: removal(group) }];
  // What is taken away goes first: nothing is given to one node in a transaction before it is taken from the other.
  const all = [...memoryOps(source).map((op) => ({ ops: [op] })), ...orderSteps(source)];
  const isTold = textAt(source.entries, statusKey(group)) === writeStatus(lead.status);
  if (all.length === 0) return isTold ? [] : [{ compares: [unchanged], ops: [status] }];
  return inParts(all);
}

function partsOf(steps: readonly Step[], otherBytes: number): Step[][] {
  const parts: Step[][] = [];
  let count = Infinity;
  let bytes = 0;
  for (const step of steps) {
    const more = bytesOf(step.ops);
    if (count + step.ops.length > maxOps || bytes + more > maxBytes) {
      parts.push([]);
      [count, bytes] = [0, otherBytes];
    }
    parts.at(-1)?.push(step);
    count += step.ops.length;
    bytes += more;
  }
  return parts;
}

function bytesOf(ops: readonly Op[]): number {
  return ops.reduce((sum, op) => sum + opOverheadBytes + (op.op === 'put' ? op.key.length + op.value.length : 0), 0);
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

function orderSteps({ group, stored, lead, epoch, nodes }: Source): Step[] {
  const gone: Step[] = [];
  const puts: Step[] = [];
  for (const [node, order] of lead.orders) {
    const key = orderKey(node, group);
    const isLost = !nodes.has(node);
    // A node that has come back meanwhile may just have read its order: then it still has it.
    const stillLost: Compare = { key: aliveKey(node), on: 'create', to: 0n };
    const compare = isLost && stored.orders.has(node) ? { compare: stillLost } : {};
    if (order !== null)
      puts.push({ ops: [{ op: 'put', key, value: Buffer.from(writeOrder({ ...order, epoch })) }], ...compare });
    else {
      const report: Op[] = isLost ? [{ op: 'delete', key: reportKey(node, group) }] : [];
      gone.push({ ops: [{ op: 'delete', key }, ...report], ...compare });
    }
  }
  return [...gone, ...puts];
}

/** What nodes have of a group that is to go: of hundreds, some of them lost. */
function leftovers(group: string, { orders, reports }: StoredGroup): Step[] {
  const keys = [
    ...[...orders.keys()].map((node) => orderKey(node, group)),
    ...[...reports.keys()].map((node) => reportKey(node, group)),
  ];
  return keys.map((key) => ({ ops: [{ op: 'delete', key }] }));
}

function removal(group: string): Op[] {
  const keys = [statusKey, slotsKey, sumKey, togetherKey, wantedKey].map((keyOf) => keyOf(group));
  return [...keys.map((key): Op => ({ op: 'delete', key })), { op: 'deletePrefix', prefix: eventPrefix(group) }];
}

function textAt(entries: ReadonlyMap<string, Entry>, key: string): string | undefined {
  const value = entries.get(key)?.value;
  return value === undefined ? undefined : Buffer.from(value).toString('utf8');
}
