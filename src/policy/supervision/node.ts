/**
 * What an agent does for groups: a state machine over its orders, what runs, and what happens to it. Pure; the runtime carries the actions
 * out in their order, feeds in what becomes of them, and calls with `tick` when `wakeMs` has come.
 *
 * A deposed leader is refused: the highest epoch seen for each group is kept, on disk too (`remember`, which must be durable before the
 * actions behind it are carried out). The report says so: where it is the store that has begun anew or gone back, its leader takes a higher
 * epoch (epoch.ts).
 */
import type { End } from './end.ts';
import { emptyGroup, nextStartMs, resumeGroup, type Group } from './group.ts';
import {
  adoptReplicas,
  endEverything,
  followOrder,
  superviseReplicas,
  tellReplica,
  wakeReplicas,
} from './local-group.ts';
import type { GroupReport, Order } from './order.ts';
import { noReplica, type Replica, type ReplicaAction, type ReplicaEvent } from './replica.ts';
import { reportOf, sameReport } from './report.ts';
import type { GroupSpec } from './spec.ts';

/** A group of which this node runs something or is to. */
export interface LocalGroup {
  readonly order: Order;
  /** With the scope `node`: which replicas start and stop. */
  readonly group: Group;
  readonly replicas: ReadonlyMap<number, Replica>;
  /** How each slot ended last. */
  readonly ends: ReadonlyMap<number, { readonly end: End; readonly asked: boolean }>;
  /** A new agent has found it and knows no order of the store yet: nothing is started or ended, since that may have changed. */
  readonly waits: boolean;
  /** The newest order was refused, and the report says so until one is not. */
  readonly leastEpoch?: bigint;
  /** The last one sent. */
  readonly report?: GroupReport;
}

export interface NodeState {
  /** Highest epoch and, within it, serial for each group that was ever here. */
  readonly seen: ReadonlyMap<string, { readonly epoch: bigint; readonly serial: bigint }>;
  readonly groups: ReadonlyMap<string, LocalGroup>;
}

/** @param epochs as they were remembered on disk. */
export function initialNodeState(epochs: Iterable<readonly [group: string, epoch: bigint]> = []): NodeState {
  return { seen: new Map([...epochs].map(([group, epoch]) => [group, { epoch, serial: 0n }])), groups: new Map() };
}

/** A process of a former agent that still runs. */
export interface FoundReplica {
  readonly slot: number;
  readonly run: number;
  readonly version: string;
  readonly isReady: boolean;
}

export type NodeEvent =
  | { readonly kind: 'order'; readonly order: Order }
  /** At the start of an agent: what runs of a group, with the last order that its predecessor had kept for it. Before any other event. */
  | { readonly kind: 'found'; readonly order: Order; readonly replicas: readonly FoundReplica[] }
  /** All orders of the store have been read, and these groups have one: what runs of others is ended. */
  | { readonly kind: 'listed'; readonly groups: readonly string[] }
  | ({ readonly group: string; readonly slot: number } & ReplicaEvent)
  /**
   * The session's fence has come (placement/fence.ts): others may soon take the singletons over. When it is renewed after all, or there is a new
   * one, feed the orders as they stand in the store then.
   */
  | { readonly kind: 'fenced' }
  | { readonly kind: 'tick' };

export type NodeAction =
  | { readonly kind: 'remember'; readonly group: string; readonly epoch: bigint }
  | { readonly kind: 'refuse'; readonly group: string; readonly epoch: bigint; readonly why: string }
  | ({ readonly group: string; readonly slot: number; readonly spec: GroupSpec } & Extract<
      ReplicaAction,
      { kind: 'start' }
    >)
  | ({ readonly group: string; readonly slot: number } & Exclude<ReplicaAction, { kind: 'start' }>)
  | { readonly kind: 'report'; readonly report: GroupReport };

export interface NodeStep {
  readonly state: NodeState;
  readonly actions: readonly NodeAction[];
  /** Arm the one timer for then, in place of the one before; undefined: none. */
  readonly wakeMs: number | undefined;
}

/** What a step of one group comes to. */
export interface LocalStep {
  readonly local: LocalGroup;
  readonly actions: readonly NodeAction[];
}

export function stepNode(state: NodeState, event: NodeEvent, nowMs: number): NodeStep {
  switch (event.kind) {
    case 'order':
      return takeOrder(state, event.order, nowMs);
    case 'found':
      return finish(state, [adoptFound(event.order, event.replicas, nowMs)], [], nowMs);
    case 'listed': {
      const orphans = [...state.groups.values()].filter(({ order }) => !event.groups.includes(order.group));
      return finish(
        state,
        orphans.map((local) => endEverything({ ...local, waits: false }, nowMs)),
        [],
        nowMs,
      );
    }
    case 'fenced': {
      const singletons = [...state.groups.values()].filter(({ order }) => order.spec.singleton);
      return finish(
        state,
        singletons.map((local) => endEverything(local, nowMs)),
        [],
        nowMs,
      );
    }
    case 'tick':
      return finish(
        state,
        [...state.groups.values()].map((local) => wakeReplicas(local, nowMs)),
        [],
        nowMs,
      );
    default: {
      const local = state.groups.get(event.group);
      return finish(state, local === undefined ? [] : [tellReplica(local, event.slot, event, nowMs)], [], nowMs);
    }
  }
}

function takeOrder(state: NodeState, order: Order, nowMs: number): NodeStep {
  const { group, epoch, serial } = order;
  const seen = state.seen.get(group) ?? { epoch: 0n, serial: 0n };
  if (epoch < seen.epoch) {
    return refuse(state, order, `its leader was deposed, epoch ${seen.epoch} has been seen`, nowMs);
  }
  if (epoch === seen.epoch && serial < seen.serial) {
    return refuse(state, order, `order ${seen.serial} of the same leader has been seen`, nowMs);
  }
  const before = state.groups.get(group);
  const remember: NodeAction[] = epoch > seen.epoch ? [{ kind: 'remember', group, epoch }] : [];
  const next: NodeState = { ...state, seen: new Map(state.seen).set(group, { epoch, serial }) };
  const { leastEpoch: _, ...kept } = before ?? fresh;
  const local: LocalGroup = {
    ...kept,
    ends: endsFor(order, before),
    order,
    group: supervisorFor(order, before, nowMs),
    waits: false,
  };
  return finish(next, [followOrder(local, nowMs)], remember, nowMs);
}

function refuse(state: NodeState, { group, epoch, serial }: Order, because: string, nowMs: number): NodeStep {
  const leastEpoch = (state.seen.get(group)?.epoch ?? 0n) + 1n;
  const local = state.groups.get(group);
  const refused: NodeAction = {
    kind: 'refuse',
    group,
    epoch,
    why: `order ${serial} of epoch ${epoch} for ${group}: ${because}`,
  };
  if (local !== undefined) return finish(state, [{ local: { ...local, leastEpoch }, actions: [] }], [refused], nowMs);
  const report = { group, epoch: 0n, serial: 0n, round: 0, replicas: [], restarted: 0, leastEpoch };
  return finish(state, [], [refused, { kind: 'report', report }], nowMs);
}

/** One that the leader has decided for until now has no history here. */
function supervisorFor(order: Order, before: LocalGroup | undefined, nowMs: number): Group {
  if (before === undefined) return emptyGroup;
  if (before.order.scope !== order.scope) return superviseReplicas(before.replicas, nowMs);
  return order.round > before.order.round ? resumeGroup(before.group) : before.group;
}

/** What ended before a person has started it again does not count, also where the leader decides, which may hear of it only after that. */
function endsFor(order: Order, before: LocalGroup | undefined): LocalGroup['ends'] {
  if (before === undefined) return fresh.ends;
  if (order.scope !== 'leader' || order.round <= before.order.round) return before.ends;
  return new Map([...before.ends].map(([slot, { end }]) => [slot, { end, asked: true }]));
}

const fresh: Pick<LocalGroup, 'replicas' | 'ends' | 'leastEpoch'> = {
  replicas: new Map<number, Replica>(),
  ends: new Map<number, { end: End; asked: boolean }>(),
};

function adoptFound(order: Order, found: readonly FoundReplica[], nowMs: number): LocalStep {
  const empty: LocalGroup = { ...fresh, order, group: emptyGroup, waits: true };
  return { local: adoptReplicas(empty, found, nowMs), actions: [] };
}

/** Puts the groups back, tells what has changed of them, forgets those that are over, and finds the next time to wake. */
function finish(state: NodeState, steps: readonly LocalStep[], before: readonly NodeAction[], nowMs: number): NodeStep {
  const groups = new Map(state.groups);
  const actions: NodeAction[] = [...before];
  for (const { local, actions: own } of steps) {
    actions.push(...own);
    const report = reportOf(local, nowMs);
    const isNews = local.report === undefined || !sameReport(local.report, report);
    if (isNews) actions.push({ kind: 'report', report });
    // One with restarts is kept: they count when its replicas come back in the same round.
    const isOver = local.order.slots.length === 0 && report.replicas.length === 0 && local.group.restarted === 0;
    if (isOver && report.failed === undefined) groups.delete(local.order.group);
    else groups.set(local.order.group, { ...local, report });
  }
  return { state: { ...state, groups }, actions, wakeMs: nextWakeMs(groups, nowMs) };
}

function nextWakeMs(groups: ReadonlyMap<string, LocalGroup>, nowMs: number): number | undefined {
  const times = [...groups.values()].flatMap((local) => wakeTimes(local, nowMs));
  return times.length === 0 ? undefined : Math.min(...times);
}

function wakeTimes({ order, group, replicas, waits }: LocalGroup, nowMs: number): number[] {
  const due = [...replicas.values()].flatMap(({ dueMs }) => (dueMs === undefined ? [] : [dueMs]));
  const start = waits || order.scope === 'leader' ? undefined : nextStartMs(group, nowMs);
  return start === undefined ? due : [...due, start];
}

/** What is in a slot here. */
export function replicaIn(state: NodeState, group: string, slot: number): Replica {
  return state.groups.get(group)?.replicas.get(slot) ?? noReplica;
}
