/**
 * What the leader orders for a group, now: which node is to run which slots, each in which version. Pure and without a memory of its own: all
 * it goes by is in the store, so that the next leader goes on where this one stopped. Call it when anything of its input changes and when
 * `wakeMs` has come, and write what it answers in one transaction, guarded by the leader's key.
 *
 * The rules:
 * - A slot is ordered in one place only, and elsewhere not before its former node has reported that it is gone there, or is lost; a singleton
 *   not before that node's fence has passed.
 * - Of what runs well one at a time is disturbed, by another version or a move to another node, and the next one when that one is ready.
 * - A version that does not come up stops the rollout: the others keep theirs.
 */
import { describeEnd } from './end.ts';
import { replicaName, slotsOf } from './identity.ts';
import type { GroupReport, Order, ReplicaReport } from './order.ts';
import { describeHalt, mayDisturb, pickDisturbed, type Disturbance } from './rollout.ts';
import type { GroupSpec } from './spec.ts';

export interface StandingOrder {
  readonly serial: bigint;
  /** Slot → version. */
  readonly slots: ReadonlyMap<number, string>;
  /** Who restarts what it has (order.ts). */
  readonly scope: Order['scope'];
}

export interface NodeStanding {
  readonly isAlive: boolean;
  readonly name: string;
  /** Of one that is lost: from when on its singletons may run elsewhere (placement/fence.ts), ms. */
  readonly freeAtMs?: number;
}

/** What the leader keeps of a slot, in the store, while a round lasts. */
export interface SlotRecord {
  /** As ordered last: a replica that changes its node keeps it until it is its turn in the rollout. */
  readonly version: string;
  /** `ended`: it is not to be restarted, here or elsewhere. `held`: this version did not come up in place of another, and is not tried again. */
  readonly rests?: 'ended' | 'held';
  /** With `held`: how it ended. */
  readonly why?: string;
}

export interface PlanInput {
  readonly spec: GroupSpec;
  /** Of the process that `spec` is. */
  readonly version: string;
  /** Goes up when a person starts or restarts the group; begin it without `slots`. Reports of former rounds tell nothing of this one. */
  readonly round: number;
  /** Nothing of it is to run: it was stopped, removed, or has failed. */
  readonly isStopped: boolean;
  /** Slot → id of the node where it belongs (placement/place.ts). */
  readonly placed: ReadonlyMap<number, number>;
  /** Node id → what it was ordered. */
  readonly orders: ReadonlyMap<number, StandingOrder>;
  /** Node id → its newest report; of lost nodes none. */
  readonly reports: ReadonlyMap<number, GroupReport>;
  readonly nodes: ReadonlyMap<number, NodeStanding>;
  readonly slots: ReadonlyMap<number, SlotRecord>;
}

export interface Plan {
  /** Node id → slot → version. Write those that differ from what stands, also in round or specification; delete the order of a node that is missing. */
  readonly orders: ReadonlyMap<number, ReadonlyMap<number, string>>;
  readonly slots: ReadonlyMap<number, SlotRecord>;
  /** Slot → what it waits for, for people; with no node to go to it is missing here. */
  readonly waits: ReadonlyMap<number, string>;
  /** Slots whose version is not the wanted one yet. */
  readonly outdated: readonly number[];
  /** Why the rollout does not go on. */
  readonly halted?: string;
  /** A node has stopped what it has of the group: stop all of it, and keep the reason. */
  readonly failed?: string;
  /** Call again then, ms. */
  readonly wakeMs?: number;
}

export function planGroup(input: PlanInput, nowMs: number): Plan {
  const draft = new Draft(input, nowMs);
  draft.keepStanding();
  draft.noteResting();
  draft.orderHomeless();
  return draft.finish();
}

class Draft {
  readonly #input: PlanInput;
  readonly #nowMs: number;
  readonly #wanted: ReadonlySet<number>;
  readonly #orders = new Map<number, Map<number, string>>();
  /** Slot → node of `#orders` that has it: asked of each slot, of thousands over hundreds of nodes. */
  readonly #homes = new Map<number, number>();
  readonly #slots: Map<number, SlotRecord>;
  readonly #waits = new Map<number, string>();
  #wakeMs: number | undefined;

  constructor(input: PlanInput, nowMs: number) {
    this.#input = input;
    this.#nowMs = nowMs;
    this.#wanted = new Set(input.isStopped ? [] : slotsOf(input.spec.replicas));
    this.#slots = new Map([...input.slots].filter(([slot]) => this.#wanted.has(slot)));
  }

  /** What is ordered stays ordered: of nodes that live, without slots that are not wanted any more; of lost ones while they may run on. */
  keepStanding(): void {
    const { orders, spec } = this.#input;
    for (const [id, order] of [...orders].sort(([a], [b]) => a - b)) {
      const slots = new Map([...order.slots].filter(([slot]) => this.#wanted.has(slot)));
      if (!this.#isAlive(id)) {
        if (spec.singleton && !this.#isFree(id)) {
          this.#order(id, order.slots);
          for (const slot of slots.keys()) this.#wait(slot, id);
        } else if (spec.restart === 'temporary')
          // It ran there and is gone: a temporary one is never restarted.
          for (const [slot, version] of slots) this.#slots.set(slot, { version, rests: 'ended' });
        continue;
      }
      if (slots.size > 0 || !this.#isGone(id)) this.#order(id, slots);
      for (const [slot, version] of slots) if (!this.#slots.has(slot)) this.#record(slot, version);
    }
  }

  noteResting(): void {
    for (const [id, report] of this.#input.reports) {
      if (report.round !== this.#input.round) continue;
      for (const { slot, version, phase, end } of report.replicas) {
        if (this.#orders.get(id)?.get(slot) !== version) continue;
        if (phase === 'ended') this.#slots.set(slot, { version, rests: phase });
        if (phase === 'held')
          this.#slots.set(slot, {
            version,
            rests: phase,
            why: end === undefined ? 'did not come up' : describeEnd(end),
          });
      }
    }
  }

  orderHomeless(): void {
    const { placed, version } = this.#input;
    const homeless = [...this.#wanted].filter((slot) => this.#homes.get(slot) === undefined);
    if (homeless.length === 0) return;
    const blockers = this.#blockers();
    for (const slot of homeless) {
      const record = this.#slots.get(slot);
      const target = placed.get(slot);
      if (record?.rests !== undefined && record.version === version) continue;
      if (target === undefined || !this.#isAlive(target)) continue;
      const blocker = [...blockers.ofAll, ...(blockers.bySlot.get(slot) ?? [])].find((id) => id !== target);
      if (blocker !== undefined) {
        this.#wait(slot, blocker);
        continue;
      }
      const given = record === undefined || record.rests !== undefined ? version : record.version;
      const slots = this.#orders.get(target) ?? new Map<number, string>();
      this.#orders.set(target, slots.set(slot, given));
      this.#homes.set(slot, target);
      this.#record(slot, given);
    }
  }

  finish(): Plan {
    const { reports, round } = this.#input;
    const failed = [...reports.values()].find(
      (report) => report.round === round && report.failed !== undefined,
    )?.failed;
    const halted = this.#halted();
    const disturbances = this.#disturbances();
    if (failed === undefined && mayDisturb(disturbances))
      this.#disturb(pickDisturbed(disturbances, halted === undefined));
    const outdated = [...this.#wanted].filter((slot) => this.#isOutdated(slot));
    return {
      orders: this.#orders,
      slots: this.#slots,
      waits: this.#waits,
      outdated,
      ...(halted === undefined ? {} : { halted }),
      ...(failed === undefined ? {} : { failed }),
      ...(this.#wakeMs === undefined ? {} : { wakeMs: this.#wakeMs }),
    };
  }

  /** Every wanted slot that could be disturbed, or that forbids it. */
  #disturbances(): Disturbance[] {
    const { placed, version } = this.#input;
    return [...this.#wanted].flatMap((slot): Disturbance[] => {
      const id = this.#homes.get(slot);
      // Without a place it does not wait for anything that would come.
      if (id === undefined && !placed.has(slot)) return [];
      const ordered = id === undefined ? undefined : this.#orders.get(id)?.get(slot);
      const target = placed.get(slot);
      const record = this.#slots.get(slot);
      const isElsewhere = id !== undefined && target !== undefined && target !== id && this.#isAlive(target);
      return [
        {
          slot,
          phase: id === undefined ? 'homeless' : this.#phaseOf(id, slot, ordered ?? ''),
          isOutdated: this.#isOutdated(slot),
          isElsewhere,
          rests: id === undefined && record?.rests !== undefined && record.version === version,
        },
      ];
    });
  }

  #disturb(chosen: Disturbance | undefined): void {
    if (chosen === undefined) return;
    const id = this.#homes.get(chosen.slot);
    const slots = this.#orders.get(id ?? -1);
    if (slots === undefined) return;
    if (chosen.isElsewhere) {
      slots.delete(chosen.slot);
      this.#homes.delete(chosen.slot);
    } else {
      slots.set(chosen.slot, this.#input.version);
      this.#record(chosen.slot, this.#input.version);
    }
  }

  #halted(): string | undefined {
    const { version, spec } = this.#input;
    const held = [...this.#slots].find(([, record]) => record.rests === 'held' && record.version === version);
    return held === undefined ? undefined : describeHalt(spec.name, held[0], held[1].why ?? 'did not come up');
  }

  #wait(slot: number, id: number): void {
    const { name, isAlive } = this.#input.nodes.get(id) ?? { name: `node ${id}`, isAlive: false };
    const why = isAlive ? `${name} has not ended it yet` : `${name} is lost and may still run it`;
    this.#waits.set(slot, `${replicaName({ group: this.#input.spec.name, slot })} waits: ${why}`);
  }

  #record(slot: number, version: string): void {
    const before = this.#slots.get(slot);
    if (before?.version !== version || before.rests !== undefined) this.#slots.set(slot, { version });
  }

  #isOutdated(slot: number): boolean {
    const ordered = this.#orders.get(this.#homes.get(slot) ?? -1)?.get(slot);
    return ordered !== undefined && ordered !== this.#input.version;
  }

  #order(id: number, slots: ReadonlyMap<number, string>): void {
    this.#orders.set(id, new Map(slots));
    for (const slot of slots.keys()) if (!this.#homes.has(slot)) this.#homes.set(slot, id);
  }

  /** `pending`: it has not said what it made of its newest order. */
  #phaseOf(id: number, slot: number, version: string): ReplicaReport['phase'] | 'pending' {
    if (!this.#isCaughtUp(id) || this.#input.reports.get(id)?.round !== this.#input.round) return 'pending';
    const replica = this.#input.reports.get(id)?.replicas.find((each) => each.slot === slot);
    return replica === undefined || (replica.version !== version && replica.phase !== 'down')
      ? 'pending'
      : replica.phase;
  }

  #isAlive(id: number): boolean {
    return this.#input.nodes.get(id)?.isAlive === true;
  }

  /** Its singletons have certainly ended. */
  #isFree(id: number): boolean {
    const freeAtMs = this.#input.nodes.get(id)?.freeAtMs;
    if (freeAtMs === undefined) return false;
    if (freeAtMs > this.#nowMs) this.#wakeMs = Math.min(this.#wakeMs ?? freeAtMs, freeAtMs);
    return freeAtMs <= this.#nowMs;
  }

  #isCaughtUp(id: number): boolean {
    const order = this.#input.orders.get(id);
    const report = this.#input.reports.get(id);
    return order === undefined || (report !== undefined && report.serial >= order.serial);
  }

  /** A node that lives has nothing of the group any more, and knows it. */
  #isGone(id: number): boolean {
    return this.#isCaughtUp(id) && (this.#input.reports.get(id)?.replicas.length ?? 0) === 0;
  }

  /** Nodes that may have something running: any slot, or those slots. One must not be started elsewhere meanwhile. */
  #blockers(): { readonly ofAll: readonly number[]; readonly bySlot: ReadonlyMap<number, readonly number[]> } {
    const { spec, orders, reports } = this.#input;
    const ofAll: number[] = [];
    const bySlot = new Map<number, number[]>();
    for (const id of new Set([...orders.keys(), ...reports.keys()])) {
      if (!this.#isAlive(id)) {
        if (spec.singleton && orders.has(id) && !this.#isFree(id)) ofAll.push(id);
      } else if (!this.#isCaughtUp(id)) ofAll.push(id);
      else for (const { slot } of reports.get(id)?.replicas ?? []) bySlot.set(slot, [...(bySlot.get(slot) ?? []), id]);
    }
    return { ofAll, bySlot };
  }
}
