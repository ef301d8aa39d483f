/**
 * What the leader writes for one group, from all that the store has of it: the orders of every node, its own memory, its status, and what
 * happened. Pure: it chooses between plan-group.ts and together.ts, gives orders their specifications, and finds what differs from what
 * stands. Write all of it in one transaction where it fits, and ask again when that has come back, until nothing differs.
 */
import { replicaName } from './identity.ts';
import type { GroupReport, Order, OrderedSlot } from './order.ts';
import { planGroup, type NodeStanding, type PlanInput, type SlotRecord } from './plan-group.ts';
import { emptySum, sumRestarts, type RestartSum } from './restart-sum.ts';
import { versionOf, type GroupSpec } from './spec.ts';
import { beginTogether, endTogether, isToBeTogether, stepTogether, type Together } from './together.ts';
import type { GroupEvent, GroupStatus, Wanted } from './wanted.ts';

/** What the store has of a group. */
export interface StoredGroup {
  readonly wanted: Wanted;
  /** Modification revision of `wanted`. */
  readonly serial: bigint;
  readonly status: GroupStatus | undefined;
  readonly slots: ReadonlyMap<number, SlotRecord>;
  readonly sum: RestartSum | undefined;
  readonly together: Together | undefined;
  /** Node id → its standing order. */
  readonly orders: ReadonlyMap<number, Order>;
  /** Node id → its newest report, of lost nodes, too. */
  readonly reports: ReadonlyMap<number, GroupReport>;
}

/** What is decided by. Reports are those of nodes that live. */
export interface GroupFacts extends StoredGroup {
  readonly nodes: ReadonlyMap<number, NodeStanding>;
  /** Slot → node where it belongs. */
  readonly placed: ReadonlyMap<number, number>;
  /** Slot → why it has no node. */
  readonly unplaced: ReadonlyMap<number, string>;
}

export type NewOrder = Omit<Order, 'epoch' | 'serial'>;

export interface Lead {
  /** Node id → its order, where it is to be written; null: it goes. */
  readonly orders: ReadonlyMap<number, NewOrder | null>;
  readonly status: GroupStatus;
  readonly slots: ReadonlyMap<number, SlotRecord>;
  readonly sum: RestartSum;
  /** Absent: the nodes restart by themselves. */
  readonly together?: Together;
  readonly events: readonly Omit<GroupEvent, 'atMs'>[];
  /** It was to be removed, and nothing of it runs: all its keys go. */
  readonly isOver: boolean;
  /** Ask again then, ms. */
  readonly wakeMs?: number;
}

/** What a planner comes to. */
interface Planned {
  readonly slots: ReadonlyMap<number, SlotRecord>;
  readonly together?: Together;
  readonly orders: ReadonlyMap<number, readonly OrderedSlot[]>;
  readonly scope: Order['scope'];
  readonly outdated: readonly number[];
  readonly waits: ReadonlyMap<number, string>;
  readonly halted?: string;
  readonly failed?: string;
  readonly wakeMs?: number;
}

/** Of so many slots it is told what they wait for: thousands wait for the same, and the status has to fit into the store. */
const toldWaits = 100;

/** @param nowMs Unix ms: what is kept is read by the next leader. */
export function leadGroup(facts: GroupFacts, nowMs: number): Lead {
  const { wanted, status, reports, sum: before } = facts;
  const { spec, round } = wanted;
  const version = versionOf(spec, wanted.restarts);
  const isSameRound = status?.round === round;
  const failedBefore = isSameRound ? status.failed : undefined;
  const input: PlanInput = {
    spec,
    version,
    round,
    isStopped: wanted.rest !== undefined || failedBefore !== undefined,
    placed: facts.placed,
    orders: new Map([...facts.orders].map(([id, order]) => [id, standing(order)])),
    reports,
    nodes: facts.nodes,
    slots: isSameRound ? facts.slots : new Map<number, SlotRecord>(),
  };
  const planned =
    isToBeTogether(input) || isStoppingTogether(facts, input)
      ? planTogether(facts.together, input, nowMs)
      : planApart(facts.together, input, nowMs);
  const counted = sumRestarts(before?.round === round ? before : emptySum(round), reports, spec, nowMs);
  const summed = planned.scope === 'node' ? counted.failed : undefined;
  const failed = failedBefore ?? planned.failed ?? summed;
  const orders = changedOrders(facts, planned, version);
  const unplaced = input.isStopped ? [] : [...facts.unplaced].filter(([slot]) => !planned.waits.has(slot));
  const waits = new Map([...planned.waits, ...unplaced].slice(0, toldWaits));
  const next: GroupStatus = {
    serial: facts.serial,
    round,
    outdated: planned.outdated,
    waits,
    ...(failed === undefined ? {} : { failed }),
    ...(planned.halted === undefined ? {} : { halted: planned.halted }),
  };
  const isOver =
    wanted.rest === 'removed' &&
    planned.orders.size === 0 &&
    [...reports.values()].every(({ replicas }) => replicas.length === 0);
  return {
    orders,
    status: next,
    slots: planned.slots,
    sum: counted.sum,
    ...(planned.together === undefined ? {} : { together: planned.together }),
    events: [...happenedTo(facts, planned), ...changesOf(isSameRound ? status : undefined, next)],
    isOver,
    ...(planned.wakeMs === undefined ? {} : { wakeMs: planned.wakeMs }),
  };
}

function standing({ serial, slots, scope }: Order): {
  serial: bigint;
  slots: Map<number, string>;
  scope: Order['scope'];
} {
  return { serial, slots: new Map(slots.map(({ slot, version }) => [slot, version])), scope };
}

/** What was tied together is stopped so, too: in its order, and nothing is placed any more that would tell. */
function isStoppingTogether({ together }: GroupFacts, { isStopped, spec }: PlanInput): boolean {
  return isStopped && together !== undefined && spec.strategy !== 'one_for_one';
}

function planApart(together: Together | undefined, input: PlanInput, nowMs: number): Planned {
  const slots = together?.round === input.round ? endTogether(together) : input.slots;
  const plan = planGroup({ ...input, slots }, nowMs);
  const orders = [...plan.orders].map(([id, ordered]): [number, OrderedSlot[]] => [
    id,
    orderedSlots(ordered, plan.slots),
  ]);
  return { ...plan, orders: new Map(orders), scope: 'node' };
}

/** @param ordered slot → version. */
export function orderedSlots(
  ordered: ReadonlyMap<number, string>,
  records: ReadonlyMap<number, SlotRecord>,
): OrderedSlot[] {
  return [...ordered].map(([slot, version]) => {
    const record = records.get(slot);
    const isResting = record?.rests !== undefined && record.version === version;
    return { slot, version, ...(isResting ? { rests: record.rests } : {}) };
  });
}

function planTogether(together: Together | undefined, input: PlanInput, nowMs: number): Planned {
  const common = { slots: input.slots, scope: 'leader', waits: new Map<number, string>() } as const;
  const begun = together === undefined ? beginTogether(input, nowMs) : { state: together };
  if (begun.state === undefined) return { ...common, orders: begun.orders, outdated: [] };
  const { state, orders, outdated, halted, failed, wakeMs } = stepTogether(begun.state, input, nowMs);
  return {
    ...common,
    together: state,
    orders,
    outdated,
    ...(halted === undefined ? {} : { halted }),
    ...(failed === undefined ? {} : { failed }),
    ...(wakeMs === undefined ? {} : { wakeMs }),
  };
}

function changedOrders(facts: GroupFacts, planned: Planned, version: string): Map<number, NewOrder | null> {
  const { spec, round } = facts.wanted;
  const known = new Map<string, GroupSpec>([...facts.orders.values()].flatMap(({ versions }) => [...versions]));
  known.set(version, spec);
  const changed = new Map<number, NewOrder | null>();
  for (const [id, ordered] of planned.orders) {
    // Nobody knows any more what an old version was where no order names it: the replica becomes the wanted one.
    const slots = ordered
      .map((each) => (known.has(each.version) ? each : { ...each, version }))
      .sort((a, b) => a.slot - b.slot);
    const used = new Set(slots.map((each) => each.version));
    const versions = new Map([...known].filter(([name]) => used.has(name)));
    const order: NewOrder = { group: spec.name, spec, versions, slots, scope: planned.scope, round };
    const before = facts.orders.get(id);
    const isRefused = (facts.reports.get(id)?.leastEpoch ?? 0n) > (before?.epoch ?? 0n);
    if (before === undefined || isRefused || textOf(before) !== textOf(order)) changed.set(id, order);
  }
  for (const id of facts.orders.keys()) if (!planned.orders.has(id)) changed.set(id, null);
  return changed;
}

/** All but who wrote it and when. */
function textOf({ spec, versions, slots, scope, round }: NewOrder): string {
  const sorted = [...versions].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([spec, sorted, [...slots].sort((a, b) => a.slot - b.slot), scope, round]);
}

function happenedTo({ orders, nodes, wanted }: GroupFacts, planned: Planned): Omit<GroupEvent, 'atMs'>[] {
  const nameOf = (id: number): string => nodes.get(id)?.name ?? `node ${id}`;
  const events: Omit<GroupEvent, 'atMs'>[] = [];
  for (const [id, { slots }] of orders) {
    const keeps = new Set(planned.orders.get(id)?.map(({ slot }) => slot));
    if (nodes.get(id)?.isAlive === true) continue;
    for (const { slot } of slots)
      if (!keeps.has(slot))
        events.push({
          kind: 'lost',
          slot,
          text: `${replicaName({ group: wanted.spec.name, slot })} with ${nameOf(id)}`,
        });
  }
  for (const [id, ordered] of planned.orders) {
    const had = new Set(orders.get(id)?.slots.map(({ slot }) => slot));
    for (const { slot } of ordered) if (!had.has(slot)) events.push({ kind: 'placed', slot, text: `on ${nameOf(id)}` });
  }
  return events;
}

function changesOf(before: GroupStatus | undefined, after: GroupStatus): Omit<GroupEvent, 'atMs'>[] {
  return (['failed', 'halted'] as const).flatMap((kind) => {
    const text = after[kind];
    return text === undefined || text === before?.[kind] ? [] : [{ kind, text }];
  });
}
