/**
 * The runtime around the node policy (src/policy/supervision/node.ts): feeds it orders and what happens to processes, carries its actions out
 * in their order, and wakes it. It goes on without the store.
 */
import {
  initialNodeState,
  stepNode,
  type NodeAction,
  type NodeEvent,
  type NodeState,
} from '../../src/policy/supervision/node.ts';
import type { GroupReport, Order } from '../../src/policy/supervision/order.ts';
import { parseGroupSpec } from '../../src/policy/supervision/parse-spec.ts';
import type { GroupEvent } from '../../src/policy/supervision/wanted.ts';
import { describeEnd } from '../../src/policy/supervision/end.ts';
import type { ReplicaMark } from '../../src/protocol/process.ts';
import { log } from '../daemon/log.ts';
import type { GroupFiles } from './group-files.ts';
import type { Replicas } from './replicas.ts';

export interface NodeRuntimeOptions {
  readonly files: GroupFiles;
  readonly onReport: (report: GroupReport) => void;
  readonly onEvent: (group: string, event: GroupEvent) => void;
}

const longestMs = 2 ** 31 - 1;

export class NodeRuntime {
  readonly #options: NodeRuntimeOptions;
  #state: NodeState;
  #replicas: Replicas | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Of events that come while another one's actions are carried out. */
  readonly #queue: NodeEvent[] = [];
  #isStepping = false;
  readonly #failed = new Map<string, string | undefined>();
  /** By group, of those that are here: what was reported last. */
  readonly #reported = new Map<string, GroupReport>();
  #isClosed = false;

  constructor(options: NodeRuntimeOptions) {
    this.#options = options;
    this.#state = initialNodeState(options.files.epochs);
  }

  /** Takes over what runs. Before any other event. */
  begin(replicas: Replicas): void {
    this.#replicas = replicas;
    const orders = this.#options.files.readOrders();
    const found = replicas.find().filter(({ mark, process }) => {
      const isOrdered = orders.get(mark.group)?.slots.some(({ slot }) => slot === mark.slot) === true;
      return isOrdered || process.exit === undefined;
    });
    for (const group of new Set(found.map(({ mark }) => mark.group))) {
      const here = found.filter(({ mark }) => mark.group === group);
      const first = here[0];
      if (first === undefined) continue;
      const order = orders.get(group) ?? unknownOrder(group, first.process.argv, first.mark);
      for (const { mark, process, wasReady } of here) {
        replicas.adopt(process, mark, order.versions.get(mark.version) ?? order.spec, wasReady);
        if (process.exit === undefined)
          this.#event(group, { slot: mark.slot, run: mark.run, kind: 'adopted', text: 'by a new agent' });
      }
      this.feed({
        kind: 'found',
        order,
        replicas: here.map(({ mark: { slot, run, version }, wasReady }) => ({ slot, run, version, isReady: wasReady })),
      });
    }
    replicas.check();
  }

  /** Groups of which something is here, or is to be. */
  get groups(): readonly string[] {
    return [...this.#state.groups.keys()];
  }

  /** @throws Error of node:fs where an order is of a new epoch and that cannot be remembered: it is not followed. */
  feed(event: NodeEvent): void {
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#isStepping = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#replicas?.close();
  }

  #step(event: NodeEvent): void {
    if (this.#isClosed) return;
    const { state, actions, wakeMs } = stepNode(this.#state, event, performance.now());
    // What cannot be remembered is not followed: nothing has changed then, and the order comes again.
    for (const action of actions)
      if (action.kind === 'remember') this.#options.files.rememberEpoch(action.group, action.epoch);
    const before = this.#state;
    this.#state = state;
    if (event.kind === 'order' && state.groups.get(event.order.group)?.order === event.order)
      this.#options.files.keepOrder(event.order);
    for (const group of before.groups.keys()) {
      if (state.groups.has(group)) continue;
      this.#options.files.forgetOrder(group);
      this.#failed.delete(group);
    }
    this.#tellEvent(event);
    if (event.kind === 'started') this.#reportPid(event.group);
    for (const action of actions) this.#carryOut(action);
    clearTimeout(this.#timer);
    if (wakeMs === undefined) return;
    const waitMs = Math.max(0, Math.ceil(wakeMs - performance.now()));
    this.#timer = setTimeout(() => this.feed({ kind: 'tick' }), Math.min(waitMs, longestMs));
  }

  #carryOut(action: NodeAction): void {
    switch (action.kind) {
      case 'remember':
        // Before all others.
        return;
      case 'refuse':
        log('groups: refused', { why: action.why });
        return;
      case 'start':
        this.#replicas?.start(action, this.#state.groups.get(action.group)?.order.serial ?? 0n);
        return;
      case 'report':
        this.#report(action.report);
        return;
      default:
        this.#replicas?.signal(action);
    }
  }

  #report(report: GroupReport): void {
    if (report.failed !== undefined && this.#failed.get(report.group) !== report.failed)
      this.#event(report.group, { kind: 'failed', text: report.failed });
    this.#failed.set(report.group, report.failed);
    if (report.replicas.length > 0) this.#reported.set(report.group, report);
    else this.#reported.delete(report.group);
    const replicas = report.replicas.map((replica) => {
      const process = this.#replicas?.processOf(report.group, replica.slot);
      return process?.replica?.run === replica.run
        ? { ...replica, pid: process.pid, sinceMs: process.startedAtMs }
        : replica;
    });
    this.#options.onReport({ ...report, replicas });
  }

  /** One that is to become ready yet is told of with its PID: people look at it while they wait. */
  #reportPid(group: string): void {
    const last = this.#reported.get(group);
    if (last !== undefined) this.#report(last);
  }

  #tellEvent(event: NodeEvent): void {
    if (!('slot' in event)) return;
    const { group, slot, run, kind } = event;
    this.#event(group, { slot, run, kind, ...(kind === 'ended' ? { text: describeEnd(event.end) } : {}) });
  }

  #event(group: string, event: Omit<GroupEvent, 'atMs'>): void {
    this.#options.onEvent(group, { atMs: Date.now(), ...event });
  }
}

/** For what runs of a group whose order was not kept: it is left as it is until the store tells more. */
function unknownOrder(group: string, argv: readonly string[], { version }: ReplicaMark): Order {
  const spec = parseGroupSpec({ name: group, command: [...argv] });
  return {
    group,
    epoch: 0n,
    serial: 0n,
    spec,
    versions: new Map([[version, spec]]),
    slots: [],
    scope: 'node',
    round: 0,
  };
}
