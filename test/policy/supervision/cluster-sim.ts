/**
 * A cluster in one process: nodes with the node policy, a leader with placement and plan, and a store between them whose news arrive late.
 * All that goes through the store is text there. What happens next is drawn from a seed. `check` throws where a slot runs twice.
 */
import { placeGroups, type PlaceableNode } from '../../../src/policy/placement/place.ts';
import type { End } from '../../../src/policy/supervision/end.ts';
import { replicaName } from '../../../src/policy/supervision/identity.ts';
import { initialNodeState, stepNode, type NodeEvent, type NodeState } from '../../../src/policy/supervision/node.ts';
import { orderedSlots } from '../../../src/policy/supervision/lead.ts';
import type { GroupReport, Order, OrderedSlot } from '../../../src/policy/supervision/order.ts';
import {
  planGroup,
  type Plan,
  type PlanInput,
  type SlotRecord,
  type StandingOrder,
} from '../../../src/policy/supervision/plan-group.ts';
import {
  beginTogether,
  endTogether,
  isToBeTogether,
  stepTogether,
  type Together,
} from '../../../src/policy/supervision/together.ts';
import type { GroupSpec } from '../../../src/policy/supervision/spec.ts';
import {
  readOrder,
  readRecords,
  readReport,
  readTogether,
  writeOrder,
  writeRecords,
  writeReport,
  writeTogether,
} from '../../../src/policy/supervision/stored.ts';
import type { Random } from '../../ids/random.ts';

interface Process {
  readonly slot: number;
  readonly run: number;
  readonly version: string;
  isReady: boolean;
  isStopped: boolean;
}

class SimNode {
  readonly id: number;
  state: NodeState = initialNodeState();
  isAlive = true;
  isDrained = false;
  wakeMs: number | undefined;
  /** Orders on their way, the oldest first. */
  inbox: NodeEvent[] = [];
  /** Reports on their way to the leader. */
  outbox: GroupReport[] = [];
  processes: Process[] = [];

  constructor(id: number) {
    this.id = id;
  }
}

interface SimOrder extends StandingOrder, Pick<Order, 'round' | 'scope'> {
  readonly ordered: readonly OrderedSlot[];
  readonly text: string;
}

export class ClusterSim {
  readonly nodes: SimNode[];
  readonly #random: Random;
  nowMs = 0;
  spec: GroupSpec;
  version = 'v1';
  round = 1;
  isStopped = false;
  failed: string | undefined;
  /** Why the rollout does not go on. */
  halted: string | undefined;
  plan: Plan | undefined;
  /** What the nodes have done: `start 1`, `stop 3`. */
  log: string[] = [];
  /** Versions of which no replica ever becomes ready. */
  readonly bad = new Set<string>();
  #serial = 0n;
  #placed = new Map<number, number>();
  #records: ReadonlyMap<number, SlotRecord> = new Map();
  readonly #orders = new Map<number, SimOrder>();
  /** The supervisor at the leader, where there is one. */
  together: Together | undefined;
  leaderWakeMs: number | undefined;
  readonly #reports = new Map<number, GroupReport>();

  constructor(spec: GroupSpec, count: number, random: Random) {
    this.spec = spec;
    this.#random = random;
    this.nodes = Array.from({ length: count }, (_, index) => new SimNode(index + 1));
  }

  get processes(): Process[] {
    return this.nodes.flatMap(({ processes }) => processes);
  }

  /** Slots of which a process is ready and was not told to stop. */
  get readySlots(): number[] {
    const ready = this.processes.filter(({ isReady, isStopped }) => isReady && !isStopped);
    return ready.map(({ slot }) => slot).sort((a, b) => a - b);
  }

  /** One thing that was due happens. @returns false where there is nothing left. */
  step(): boolean {
    const due = this.#due();
    const [first, ...rest] = due;
    if (first === undefined) return this.#passTime();
    this.#random.pick([first, ...rest])();
    this.check();
    return true;
  }

  settle(): void {
    for (let steps = 0; this.step(); steps++) if (steps > 20_000) throw new Error('it does not come to rest');
  }

  lose(node: SimNode): void {
    Object.assign(node, new SimNode(node.id), { isAlive: false, isDrained: node.isDrained });
    this.#reports.delete(node.id);
  }

  back(node: SimNode): void {
    node.isAlive = true;
    if (this.#orders.has(node.id)) this.#send(node);
  }

  end(node: SimNode, process: Process, end: End): void {
    node.processes = node.processes.filter((other) => other !== process);
    this.#feed(node, { kind: 'ended', group: this.spec.name, slot: process.slot, run: process.run, end });
  }

  check(): void {
    const slots = this.processes.map(({ slot }) => slot);
    const twice = slots.find((slot, index) => slots.indexOf(slot) !== index);
    if (twice !== undefined) throw new Error(`${replicaName({ group: this.spec.name, slot: twice })} runs twice`);
  }

  #deliver(node: SimNode, report: GroupReport): void {
    this.#reports.set(node.id, readReport(writeReport(report), this.spec.name));
    this.#hasNews = true;
  }

  #due(): (() => void)[] {
    const due: (() => void)[] = [];
    if (this.#leaderHasNews()) due.push(() => this.#lead());
    for (const node of this.nodes) {
      const [event] = node.inbox;
      const [report] = node.outbox;
      if (event !== undefined) due.push(() => this.#feed(node, node.inbox.shift() ?? event));
      if (report !== undefined) due.push(() => this.#deliver(node, node.outbox.shift() ?? report));
      for (const process of node.processes) {
        const { slot, run } = process;
        const group = this.spec.name;
        if (process.isStopped) due.push(() => this.end(node, process, { kind: 'signalled', signal: 'TERM' }));
        else if (!process.isReady && this.bad.has(process.version))
          due.push(() => this.end(node, process, { kind: 'exited', code: 1 }));
        else if (!process.isReady)
          due.push(() => {
            process.isReady = true;
            this.#feed(node, { kind: 'ready', group, slot, run });
          });
      }
    }
    return due;
  }

  #passTime(): boolean {
    const times = [
      ...this.nodes.flatMap(({ wakeMs }) => wakeMs ?? []),
      ...(this.leaderWakeMs === undefined ? [] : [this.leaderWakeMs]),
    ];
    if (times.length === 0) return false;
    this.nowMs = Math.max(this.nowMs, Math.min(...times));
    if (this.leaderWakeMs !== undefined && this.leaderWakeMs <= this.nowMs) {
      this.leaderWakeMs = undefined;
      this.#lead();
    }
    for (const node of this.nodes)
      if (node.wakeMs !== undefined && node.wakeMs <= this.nowMs) this.#feed(node, { kind: 'tick' });
    return true;
  }

  #feed(node: SimNode, event: NodeEvent): void {
    const step = stepNode(node.state, event, this.nowMs);
    Object.assign(node, { state: step.state, wakeMs: step.wakeMs });
    for (const action of step.actions) {
      if (action.kind === 'refuse') throw new Error(action.why);
      if (action.kind === 'report') node.outbox.push(action.report);
      if (action.kind === 'start' || action.kind === 'signal')
        this.log.push(`${action.kind === 'start' ? 'start' : 'stop'} ${action.slot}`);
      if (action.kind === 'start') {
        const { slot, run, version, group } = action;
        node.processes.push({ slot, run, version, isReady: false, isStopped: false });
        node.inbox.unshift({ kind: 'started', group, slot, run });
      }
      if (action.kind !== 'signal' && action.kind !== 'kill') continue;
      for (const process of node.processes) if (process.slot === action.slot) process.isStopped = true;
    }
  }

  /** What the leader goes by, less what the store brings. */
  #facts = '';
  #hasNews = false;

  #leaderHasNews(): boolean {
    return this.#hasNews || this.#facts !== this.#readFacts();
  }

  #readFacts(): string {
    const { version, round, isStopped, failed, spec } = this;
    const nodes = this.nodes.map(({ isAlive, isDrained }) => [isAlive, isDrained]);
    return JSON.stringify([version, round, isStopped, failed, spec, nodes]);
  }

  /** What it wrote: as long as that changes there may be more to do. */
  #written(): string {
    const facts = [[...this.#orders.values()].map(({ text }) => text), [...this.#records], this.together];
    return JSON.stringify(facts, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
  }

  #lead(): void {
    const before = this.#written();
    this.#facts = this.#readFacts();
    this.#decide();
    this.#hasNews = this.#written() !== before;
  }

  #decide(): void {
    const { spec, version, round } = this;
    const placeable = this.nodes.map(({ id, isAlive, isDrained }): PlaceableNode => {
      return { id, name: `n${id}`, labels: [], isAlive, isDrained, memTotalBytes: 1e9, memAvailableBytes: 1e9 };
    });
    const current = new Map([...this.#placed].map(([slot, id]) => [replicaName({ group: spec.name, slot }), id]));
    const { nodes } = placeGroups({ groups: [spec], nodes: placeable, current });
    this.#placed = new Map([...nodes].map(([name, id]) => [Number(name.split('/')[1]), id]));
    const standing = new Map(this.nodes.map(({ id, isAlive }) => [id, { isAlive, name: `n${id}` }]));
    const isStopped = this.isStopped || this.failed !== undefined;
    const slots = this.#records;
    const placed = this.#placed;
    const input = {
      spec,
      version,
      round,
      isStopped,
      placed,
      orders: this.#orders,
      reports: this.#reports,
      nodes: standing,
      slots,
    };
    if (isToBeTogether(input)) this.#leadTogether(input);
    else this.#leadApart(input);
  }

  #leadApart(input: PlanInput): void {
    if (this.together?.round === this.round) this.#records = endTogether(this.together);
    this.together = undefined;
    const plan = planGroup({ ...input, slots: this.#records }, this.nowMs);
    this.plan = plan;
    this.failed ??= plan.failed;
    this.halted = plan.halted;
    this.#records = readRecords(writeRecords(plan.slots));
    const ordered = (id: number): OrderedSlot[] | undefined =>
      plan.orders.has(id) ? orderedSlots(plan.orders.get(id) ?? new Map<number, string>(), plan.slots) : undefined;
    for (const node of this.nodes) this.#write(node, ordered(node.id), 'node');
  }

  #leadTogether(input: PlanInput): void {
    const begun = this.together === undefined ? beginTogether(input, this.nowMs) : { state: this.together };
    if (begun.state === undefined) {
      for (const node of this.nodes) this.#write(node, begun.orders.get(node.id), 'leader');
      return;
    }
    const step = stepTogether(begun.state, input, this.nowMs);
    this.together = readTogether(writeTogether(step.state));
    this.failed ??= step.failed;
    this.halted = step.halted;
    this.leaderWakeMs = step.wakeMs;
    for (const node of this.nodes) this.#write(node, step.orders.get(node.id), 'leader');
  }

  #write(node: SimNode, slots: readonly OrderedSlot[] | undefined, scope: Order['scope']): void {
    const before = this.#orders.get(node.id);
    if (slots === undefined) {
      this.#orders.delete(node.id);
      return;
    }
    const { round } = this;
    const text = JSON.stringify([round, scope, [...slots].sort((a, b) => a.slot - b.slot)]);
    if (before?.text === text) return;
    this.#serial += 1n;
    const versions = new Map(slots.map(({ slot, version }) => [slot, version]));
    this.#orders.set(node.id, { serial: this.#serial, slots: versions, ordered: slots, text, round, scope });
    this.#send(node);
  }

  #send(node: SimNode): void {
    const order = this.#orders.get(node.id);
    if (!node.isAlive || order === undefined) return;
    const { serial, ordered: slots, scope, round } = order;
    const versions = new Map(slots.map(({ version }) => [version, this.spec]));
    const facts = { group: this.spec.name, epoch: 1n, spec: this.spec };
    const stored = writeOrder({ ...facts, versions, slots, scope, round });
    node.inbox.push({ kind: 'order', order: readOrder(stored, this.spec.name, serial) });
  }

  /** A person starts it anew. */
  beginRound(): void {
    this.round += 1;
    this.#records = new Map();
    this.failed = undefined;
    this.isStopped = false;
  }
}
