/**
 * The leader's part for a group that is restarted together, one_for_all or rest_for_one, while its replicas are on several nodes: no node sees
 * all of them, so that the supervisor (group.ts) runs at the leader, and the nodes only obey (scope `leader`). What it keeps is to be written
 * to the store in the transaction of its orders; times are Unix ms there, since the next leader has another monotonic clock.
 *
 * With the replicas of a group on one node, or with one_for_one, the nodes restart by themselves (plan-group.ts): that needs no leader.
 */
import { describeEnd, type End } from './end.ts';
import {
  adoptMember,
  emptyGroup,
  memberDown,
  memberReady,
  memberUnready,
  nextStartMs,
  resumeGroup,
  stepGroup,
  wantSlots,
  withoutFuture,
  type Group,
} from './group.ts';
import { slotsOf } from './identity.ts';
import type { OrderedSlot, ReplicaReport } from './order.ts';
import type { PlanInput, SlotRecord } from './plan-group.ts';
import { describeHalt } from './rollout.ts';

/** What is kept of such a group. */
export interface Together {
  readonly round: number;
  readonly group: Group;
  /** Slot → version that it is to be, as its turn in the rollout has come. */
  readonly versions: ReadonlyMap<number, string>;
  /** Slot → where it was ordered to run, and the how manieth run that is. */
  readonly runs: ReadonlyMap<number, { readonly node: number; readonly run: number }>;
  /** Slot → node that was told to end it and has not said that it is gone. */
  readonly stopping: ReadonlyMap<number, number>;
  /** Slot → its last run, so that no number comes twice. */
  readonly lastRuns: ReadonlyMap<number, number>;
  /** Ended to be started on another node. */
  readonly moving?: number;
}

export type TogetherInput = Omit<PlanInput, 'slots'>;

export interface TogetherPlan {
  readonly state: Together;
  /** Node id → what it is to run, as in `Plan`; the orders have the scope `leader`. */
  readonly orders: ReadonlyMap<number, readonly OrderedSlot[]>;
  readonly outdated: readonly number[];
  /** Why the rollout does not go on. */
  readonly halted?: string;
  readonly failed?: string;
  readonly wakeMs?: number;
}

/**
 * Takes over what the nodes have restarted by themselves until now. What they report is out of date while they still do: first they are told
 * to leave everything as it is.
 * @returns `state` to go on with; or the orders to give, and to ask again when all nodes have reported on them.
 */
export function beginTogether(
  input: PlanInput,
  nowMs: number,
): { readonly state: Together } | { readonly orders: TogetherPlan['orders']; readonly state?: undefined } {
  const { orders, reports, nodes, round } = input;
  const standing = [...orders].filter(([id]) => nodes.get(id)?.isAlive === true);
  if (standing.some(([id, { scope }]) => scope !== 'leader' || !isCaughtUp(input, id))) {
    return {
      orders: new Map(
        standing.map(([id, { slots }]) => [id, [...slots].map(([slot, version]) => ({ slot, version, run: 0 }))]),
      ),
    };
  }
  let group = emptyGroup;
  const versions = new Map<number, string>();
  const runs = new Map<number, { node: number; run: number }>();
  const stopping = new Map<number, number>();
  const lastRuns = new Map<number, number>();
  for (const [node, { replicas }] of reports) {
    for (const { slot, version, run, phase } of replicas) {
      lastRuns.set(slot, Math.max(run, lastRuns.get(slot) ?? 0));
      if (phase !== 'starting' && phase !== 'ready' && phase !== 'unready' && phase !== 'stopping') continue;
      group = adoptMember(group, slot, version, phase, nowMs);
      versions.set(slot, version);
      // Of one that is being ended its end is waited for, also where it was to move.
      if (phase === 'stopping') stopping.set(slot, node);
      else runs.set(slot, { node, run });
    }
  }
  for (const [slot, { version, rests }] of input.slots) {
    if (rests === undefined) continue;
    group = adoptMember(group, slot, version, rests, nowMs);
    versions.set(slot, version);
  }
  return { state: { round, group, versions, runs, stopping, lastRuns } };
}

/** What plan-group.ts goes on with when the nodes restart by themselves again. */
export function endTogether({ group, versions }: Together): Map<number, SlotRecord> {
  return new Map(
    [...versions].map(([slot, version]) => {
      const member = group.members.get(slot);
      if (member?.phase !== 'ended' && member?.phase !== 'held') return [slot, { version }];
      const why = member.lastEnd === undefined ? {} : { why: describeEnd(member.lastEnd) };
      return [slot, { version, rests: member.phase, ...why }];
    }),
  );
}

export function stepTogether(before: Together, input: TogetherInput, nowMs: number): TogetherPlan {
  const { spec, round, isStopped } = input;
  const group = round > before.round ? resumeGroup(before.group) : withoutFuture(before.group, nowMs);
  const draft = new Draft({ ...before, round: Math.max(round, before.round), group }, input);
  draft.hearNodes(nowMs);
  const wanted = isStopped ? [] : slotsOf(spec.replicas);
  draft.disturbOne(wanted);
  draft.want(wanted);
  draft.carryOut(nowMs);
  return draft.finish(nowMs);
}

class Draft {
  readonly #input: TogetherInput;
  readonly #round: number;
  #group: Group;
  #moving: number | undefined;
  readonly #versions: Map<number, string>;
  readonly #runs: Map<number, { readonly node: number; readonly run: number }>;
  readonly #stopping: Map<number, number>;
  readonly #lastRuns: Map<number, number>;

  constructor(before: Together, input: TogetherInput) {
    this.#input = input;
    this.#round = before.round;
    this.#group = before.group;
    this.#moving = before.moving;
    this.#versions = new Map(before.versions);
    this.#runs = new Map(before.runs);
    this.#stopping = new Map(before.stopping);
    this.#lastRuns = new Map(before.lastRuns);
  }

  hearNodes(nowMs: number): void {
    for (const [slot, node] of this.#stopping) {
      const report = this.#isAlive(node) ? this.#reportOf(node, slot) : 'gone';
      if (report !== 'gone') continue;
      this.#stopping.delete(slot);
      this.#down(slot, lost(this.#nameOf(node)), true, nowMs);
    }
    for (const [slot, { node, run }] of this.#runs) {
      if (!this.#isAlive(node)) {
        this.#runs.delete(slot);
        this.#down(slot, lost(this.#nameOf(node)), false, nowMs);
        continue;
      }
      const report = this.#reportOf(node, slot);
      if (report === 'pending' || report === 'gone' || report.run !== run) continue;
      // What ended before a person has started it again is no failure, though it is heard of only now.
      const isOld = (this.#input.reports.get(node)?.round ?? 0) < this.#round;
      this.#hear(slot, isOld ? { ...report, asked: true } : report, nowMs);
    }
    if (this.#moving !== undefined && !this.#group.members.has(this.#moving)) this.#moving = undefined;
  }

  #hear(slot: number, { phase, end, asked }: ReplicaReport, nowMs: number): void {
    const known = this.#group.members.get(slot)?.phase;
    if (phase === 'ready' && known !== 'ready') this.#group = memberReady(this.#group, slot, nowMs);
    if (phase === 'unready' && known !== 'unready') this.#group = memberUnready(this.#group, slot);
    if (phase !== 'down') return;
    this.#runs.delete(slot);
    this.#down(slot, end ?? { kind: 'lost', why: 'its node does not know how' }, asked === true, nowMs);
  }

  #down(slot: number, end: End, asked: boolean, nowMs: number): void {
    this.#group = memberDown(this.#group, slot, end, asked, this.#input.spec, nowMs);
  }

  /** As in plan-group.ts: of what runs well one at a time moves or becomes another version. */
  disturbOne(wanted: readonly number[]): void {
    const { placed, version } = this.#input;
    const members = [...this.#group.members];
    const isCalm = wanted.every((slot) => this.#isAtRest(slot));
    const isHalted = members.some(([, member]) => member.phase === 'held' && member.version === version);
    const stuck = members.find(([slot, { phase }]) => phase !== 'ready' && this.#versions.get(slot) !== version);
    if (this.#moving !== undefined) return;
    if (isCalm) {
      this.#moving = [...this.#runs].find(([slot, { node }]) => {
        const target = placed.get(slot);
        return target !== undefined && target !== node && this.#isAlive(target);
      })?.[0];
      if (this.#moving !== undefined) return;
    }
    const next = stuck ?? (isCalm ? members.find(([slot]) => this.#versions.get(slot) !== version) : undefined);
    if (next !== undefined && !isHalted) this.#versions.set(next[0], version);
  }

  /** Nothing is on its way there. */
  #isAtRest(slot: number): boolean {
    const member = this.#group.members.get(slot);
    if (member === undefined) return !this.#input.placed.has(slot);
    return member.phase === 'ready' || member.phase === 'ended' || member.phase === 'held';
  }

  /** What has no place is not wanted now: the others do not wait for it. */
  want(slots: readonly number[]): void {
    const { placed, version } = this.#input;
    const wanted = new Map<number, string>();
    for (const slot of slots) {
      const hasPlace = this.#runs.has(slot) || this.#stopping.has(slot) || this.#isAlive(placed.get(slot) ?? -1);
      const rests = this.#group.members.get(slot)?.phase;
      if (slot === this.#moving || (!hasPlace && rests !== 'ended' && rests !== 'held')) continue;
      const given = this.#versions.get(slot) ?? version;
      this.#versions.set(slot, given);
      wanted.set(slot, given);
    }
    for (const slot of this.#versions.keys()) if (!slots.includes(slot)) this.#versions.delete(slot);
    this.#group = wantSlots(this.#group, wanted);
  }

  carryOut(nowMs: number): void {
    const { group, commands } = stepGroup(this.#group, this.#input.spec, nowMs);
    this.#group = group;
    for (const { kind, slot } of commands) {
      const run = this.#runs.get(slot);
      if (kind === 'stop' && run !== undefined) {
        this.#runs.delete(slot);
        this.#stopping.set(slot, run.node);
      }
      const node = this.#input.placed.get(slot);
      if (kind !== 'start' || node === undefined) continue;
      const next = (this.#lastRuns.get(slot) ?? 0) + 1;
      this.#lastRuns.set(slot, next);
      this.#runs.set(slot, { node, run: next });
    }
  }

  finish(nowMs: number): TogetherPlan {
    const orders = new Map<number, OrderedSlot[]>();
    for (const id of this.#input.orders.keys()) if (this.#isAlive(id) && !this.#isEmpty(id)) orders.set(id, []);
    for (const [slot, { node, run }] of [...this.#runs].sort(([a], [b]) => a - b)) {
      const version = this.#group.members.get(slot)?.version ?? this.#input.version;
      orders.set(node, [...(orders.get(node) ?? []), { slot, version, run }]);
    }
    const { failed } = this.#group;
    const halted = this.#halted();
    const wakeMs = nextStartMs(this.#group, nowMs);
    const outdated = [...this.#versions].filter(([, version]) => version !== this.#input.version).map(([slot]) => slot);
    return {
      state: {
        round: this.#round,
        group: this.#group,
        versions: this.#versions,
        runs: this.#runs,
        stopping: this.#stopping,
        lastRuns: this.#lastRuns,
        ...(this.#moving === undefined ? {} : { moving: this.#moving }),
      },
      orders,
      outdated,
      ...(halted === undefined ? {} : { halted }),
      ...(failed === undefined ? {} : { failed }),
      ...(wakeMs === undefined ? {} : { wakeMs }),
    };
  }

  #halted(): string | undefined {
    const { version, spec } = this.#input;
    const held = [...this.#group.members].find(([, { phase, version: own }]) => phase === 'held' && own === version);
    if (held === undefined) return undefined;
    const [slot, { lastEnd }] = held;
    return describeHalt(spec.name, slot, lastEnd === undefined ? 'did not come up' : describeEnd(lastEnd));
  }

  /** What a node that lives says of a slot, having seen its newest order. */
  #reportOf(node: number, slot: number): ReplicaReport | 'pending' | 'gone' {
    if (!isCaughtUp(this.#input, node)) return 'pending';
    return this.#input.reports.get(node)?.replicas.find((replica) => replica.slot === slot) ?? 'gone';
  }

  #isEmpty(node: number): boolean {
    return isCaughtUp(this.#input, node) && (this.#input.reports.get(node)?.replicas.length ?? 0) === 0;
  }

  #isAlive(id: number): boolean {
    return this.#input.nodes.get(id)?.isAlive === true;
  }

  #nameOf(id: number): string {
    return this.#input.nodes.get(id)?.name ?? `node ${id}`;
  }
}

function isCaughtUp({ orders, reports }: TogetherInput, id: number): boolean {
  const order = orders.get(id);
  const report = reports.get(id);
  return order === undefined || (report !== undefined && report.serial >= order.serial);
}

function lost(name: string): End {
  return { kind: 'lost', why: `${name} was lost`, withMachine: true };
}

/** Whether the leader has to decide: what is tied together is not all on one node. */
export function isToBeTogether({ spec, placed }: Pick<PlanInput, 'spec' | 'placed'>): boolean {
  return spec.strategy !== 'one_for_one' && new Set(placed.values()).size > 1;
}
