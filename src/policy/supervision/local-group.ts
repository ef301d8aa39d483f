/** One group on one node: the group's supervisor, or the leader's orders, over the replicas that are here. Pure; part of node.ts. */
import {
  adoptMember,
  emptyGroup,
  memberDown,
  memberReady,
  memberUnready,
  stepGroup,
  wantSlots,
  type Group,
  type GroupCommand,
} from './group.ts';
import type { FoundReplica, LocalGroup, LocalStep, NodeAction } from './node.ts';
import type { OrderedSlot } from './order.ts';
import {
  adoptReplica,
  noReplica,
  startReplica,
  stepReplica,
  stopReplica,
  wakeReplica,
  type Outcome,
  type Replica,
  type ReplicaEvent,
  type ReplicaStep,
} from './replica.ts';
import type { GroupSpec } from './spec.ts';

export function adoptReplicas(local: LocalGroup, found: readonly FoundReplica[], nowMs: number): LocalGroup {
  const replicas = new Map(
    found.map(({ slot, run, version, isReady }) => [
      slot,
      adoptReplica(run, version, isReady, specOf(local, version), nowMs),
    ]),
  );
  return { ...local, replicas, group: wantSlots(superviseReplicas(replicas, nowMs), wantedSlots(local)) };
}

/** A supervisor for what runs already. */
export function superviseReplicas(replicas: ReadonlyMap<number, Replica>, nowMs: number): Group {
  let group = emptyGroup;
  for (const [slot, { phase, version }] of replicas)
    if (phase !== 'down') group = adoptMember(group, slot, version, phase, nowMs);
  return group;
}

/** An order has come: `local.order`. */
export function followOrder(ordered: LocalGroup, nowMs: number): LocalStep {
  if (ordered.order.scope === 'leader') return settle(ordered, nowMs);
  const local = letRest(ordered, nowMs);
  return settle({ ...local, group: wantSlots(local.group, wantedSlots(local)) }, nowMs);
}

/** What has ended for good is known to the store; here its record may be long gone. */
function letRest(local: LocalGroup, nowMs: number): LocalGroup {
  let { group } = local;
  const replicas = new Map(local.replicas);
  for (const { slot, version, rests } of local.order.slots) {
    const replica = replicas.get(slot) ?? noReplica;
    if (rests === undefined || group.members.has(slot) || replica.phase !== 'down') continue;
    group = adoptMember(group, slot, version, rests, nowMs);
    replicas.set(slot, { ...replica, version });
  }
  return { ...local, group, replicas };
}

/** As if ordered to run nothing. */
export function endEverything(local: LocalGroup, nowMs: number): LocalStep {
  return followOrder({ ...local, order: { ...local.order, slots: [] } }, nowMs);
}

export function wakeReplicas(local: LocalGroup, nowMs: number): LocalStep {
  let step: LocalStep = { local, actions: [] };
  for (const [slot, replica] of local.replicas) {
    const woken = wakeReplica(replica, specOf(local, replica.version), nowMs);
    if (woken.replica !== replica) step = put(step, slot, woken);
  }
  const settled = settle(step.local, nowMs);
  return { local: settled.local, actions: [...step.actions, ...settled.actions] };
}

export function tellReplica(local: LocalGroup, slot: number, event: ReplicaEvent, nowMs: number): LocalStep {
  const replica = local.replicas.get(slot) ?? noReplica;
  const step = stepReplica(replica, event, specOf(local, replica.version), nowMs);
  const told = put({ local, actions: [] }, slot, step);
  const { outcome } = step;
  if (outcome === undefined) return told;
  const ends = new Map(told.local.ends);
  if (outcome.kind === 'down') ends.set(slot, { end: outcome.end, asked: outcome.asked });
  const settled = settle({ ...told.local, group: superviseOutcome(told.local, slot, outcome, nowMs), ends }, nowMs);
  return { local: settled.local, actions: [...told.actions, ...settled.actions] };
}

function superviseOutcome({ group, order }: LocalGroup, slot: number, outcome: Outcome, nowMs: number): Group {
  if (order.scope === 'leader') return group;
  switch (outcome.kind) {
    case 'ready':
      return memberReady(group, slot, nowMs);
    case 'unready':
      return memberUnready(group, slot);
    default:
      return memberDown(group, slot, outcome.end, outcome.asked, order.spec, nowMs);
  }
}

/** Starts and stops what is to be now. */
function settle(local: LocalGroup, nowMs: number): LocalStep {
  if (local.waits) return { local, actions: [] };
  if (local.order.scope === 'leader') return obey(local, nowMs);
  const { group, commands } = stepGroup(local.group, local.order.spec, nowMs);
  let step: LocalStep = { local: { ...local, group }, actions: [] };
  for (const command of commands) step = carryOut(step, command, nowMs);
  return { local: forgetGone(step.local), actions: step.actions };
}

function carryOut(step: LocalStep, { kind, slot }: GroupCommand, nowMs: number): LocalStep {
  const { local } = step;
  const replica = local.replicas.get(slot) ?? noReplica;
  if (kind === 'stop') return put(step, slot, stopReplica(replica, specOf(local, replica.version), nowMs));
  const version = local.group.members.get(slot)?.wanted ?? replica.version;
  return put(step, slot, startReplica(replica, version, specOf(local, version), nowMs));
}

/** The leader decides: what it wants runs, what it does not want ends, and what has ended stays so until it asks for another run. */
function obey(local: LocalGroup, nowMs: number): LocalStep {
  const wanted = new Map(local.order.slots.map((ordered) => [ordered.slot, ordered]));
  let step: LocalStep = { local, actions: [] };
  const slots = [...new Set([...local.replicas.keys(), ...wanted.keys()])].sort((a, b) => a - b);
  for (const slot of slots) {
    const replica = step.local.replicas.get(slot) ?? noReplica;
    step = put(step, slot, obeyed(replica, wanted.get(slot), local, nowMs));
  }
  const replicas = [...step.local.replicas].filter(([slot, { phase }]) => wanted.has(slot) || phase !== 'down');
  return { local: { ...step.local, replicas: new Map(replicas) }, actions: step.actions };
}

function obeyed(replica: Replica, ordered: OrderedSlot | undefined, local: LocalGroup, nowMs: number): ReplicaStep {
  const run = ordered?.run ?? 1;
  const isCurrent = ordered !== undefined && ordered.version === replica.version && run <= replica.run;
  if (replica.phase !== 'down')
    return isCurrent ? { replica, actions: [] } : stopReplica(replica, specOf(local, replica.version), nowMs);
  if (ordered === undefined || run <= replica.run) return { replica, actions: [] };
  return startReplica(replica, ordered.version, specOf(local, ordered.version), nowMs, run);
}

function put(step: LocalStep, slot: number, { replica, actions }: ReplicaStep): LocalStep {
  const { local } = step;
  const { group } = local.order;
  const told = actions.map((action): NodeAction => {
    if (action.kind !== 'start') return { group, slot, ...action };
    return { group, slot, ...action, spec: specOf(local, action.version) };
  });
  const replicas = new Map(local.replicas).set(slot, replica);
  return { local: { ...local, replicas }, actions: [...step.actions, ...told] };
}

/** Slots that the supervisor has forgotten. */
function forgetGone(local: LocalGroup): LocalGroup {
  const isKept = (slot: number): boolean => local.group.members.has(slot);
  if ([...local.replicas.keys()].every(isKept)) return local;
  return {
    ...local,
    replicas: new Map([...local.replicas].filter(([slot]) => isKept(slot))),
    ends: new Map([...local.ends].filter(([slot]) => isKept(slot))),
  };
}

function wantedSlots({ order }: LocalGroup): Map<number, string> {
  return new Map(order.slots.map(({ slot, version }) => [slot, version]));
}

/** One that was found may be of a version that no order names any more. */
function specOf({ order }: LocalGroup, version: string): GroupSpec {
  return order.versions.get(version) ?? order.spec;
}
