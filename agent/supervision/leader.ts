/**
 * The leader of all groups: one of the agents that take part, elected in the store. It reads what is wanted, which nodes live and what they
 * report; places; and writes orders, each transaction guarded by its leadership, so that what a deposed leader writes is refused.
 */
import { campaign } from '../../src/coordination/election.ts';
import type { Hold } from '../../src/coordination/hold.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import { recordKey } from '../../src/coordination/cluster-record.ts';
import { placeOf } from '../../src/coordination/keys.ts';
import { pauseAfter, untilAnswered } from '../../src/coordination/patience.ts';
import { fenceTimes, freeAtMs } from '../../src/policy/placement/fence.ts';
import { placeGroups, type Placement } from '../../src/policy/placement/place.ts';
import { parseReplicaName, replicaName } from '../../src/policy/supervision/identity.ts';
import { epochOf } from '../../src/policy/supervision/epoch.ts';
import { leadGroup } from '../../src/policy/supervision/lead.ts';
import type { NodeStanding } from '../../src/policy/supervision/plan-group.ts';
import { statusKey } from '../../src/policy/supervision/store-keys.ts';
import { isClosed, isSessionLost, isUnavailable, isUnknown } from '../../src/store/errors.ts';
import type { Op } from '../../src/store/store.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { log } from '../daemon/log.ts';
import { GroupReader, placeableNode, type LivingNode, type StoredGroup } from './group-facts.ts';
import { chain, transactionsOf } from './lead-writes.ts';
import { Mirror } from './mirror.ts';

/** Of the election; nobody's lock or election is called so by chance. */
export const leaderElection = 'nsh groups';
/** News that come together are looked at together, ms. */
const gatherMs = 10;
/** A new group waits so long for nodes that do not take part yet, ms. */
const arrivalMs = 3_000;

/**
 * Stands for election, leads, and stands again, until the signal fires.
 * @param expected ids of the nodes of the cluster, where none is of record.
 */
export async function standForLeader(
  participant: Participant,
  expected: () => readonly number[],
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 1; !signal.aborted; failures++) {
    let hold: Hold | undefined;
    try {
      await leaveQueue(participant, signal);
      hold = await campaign(participant, leaderElection, { signal });
      if (hold === undefined) continue;
      log('groups: leads', { epoch: String(hold.token) });
      await new Leader(participant, hold, expected).lead(AbortSignal.any([signal, hold.lost]));
    } catch (error) {
      if (signal.aborted || isSessionLost(error) || isClosed(error)) return;
      log('groups: the leader steps down', { message: String(error) });
    } finally {
      if (hold !== undefined && !participant.session.lost.aborted) await hold.release().catch(() => undefined);
    }
    await pauseAfter(failures, signal);
  }
}

/** The agent before may have stood, or led, in the same session: it does so no more, and would stand in the way for as long as that lives. */
async function leaveQueue({ store, session }: Participant, signal: AbortSignal): Promise<void> {
  const { prefix } = placeOf('election', leaderElection);
  const { entries } = await untilAnswered(signal, () => store.list(prefix, { signal }));
  const own = entries.filter((entry) => entry.session === session.id);
  const ops = own.map(({ key }): Op => ({ op: 'delete', key }));
  if (ops.length > 0) await untilAnswered(signal, () => store.txn([], ops, [], { signal }));
}

class Leader {
  readonly #hold: Hold;
  readonly #expected: () => readonly number[];
  readonly #ttlMs: number;
  readonly #reader = new GroupReader();
  readonly #groups: Mirror;
  readonly #nodes: Mirror;
  readonly #record: Mirror;
  /** Where each replica belongs. */
  #current: ReadonlyMap<string, number> = new Map();
  /** Node id → when its session was found to be gone. */
  readonly #lost = new Map<number, number>();
  readonly #names = new Map<number, string>();
  /** Of its orders for each group. */
  readonly #epochs = new Map<string, bigint>();
  /** Groups that have no order yet, with when they were seen first. */
  readonly #fresh = new Map<string, number>();
  #isNews = false;
  #wake: (() => void) | undefined;

  constructor({ store, session }: Participant, hold: Hold, expected: () => readonly number[]) {
    this.#hold = hold;
    this.#expected = expected;
    this.#ttlMs = session.ttlMs;
    const onNews = (): void => this.#news();
    this.#groups = new Mirror(store, 'group/', { onListed: onNews, onChanged: onNews });
    this.#nodes = new Mirror(store, 'node/', { onListed: onNews, onChanged: onNews });
    this.#record = new Mirror(store, recordKey, { onListed: onNews, onChanged: onNews });
  }

  async lead(signal: AbortSignal): Promise<void> {
    const ends = new AbortController();
    const both = AbortSignal.any([signal, ends.signal]);
    const mirrors = [this.#groups, this.#nodes, this.#record];
    const following = mirrors.map((mirror) => mirror.follow(both));
    try {
      await Promise.race([Promise.all(following), this.#decideAlways(both)]);
    } finally {
      ends.abort();
      await Promise.allSettled(following);
    }
  }

  async #decideAlways(signal: AbortSignal): Promise<void> {
    let wakeMs: number | undefined;
    for (let failures = 0; !signal.aborted; ) {
      await this.#untilNews(wakeMs, signal);
      if (signal.aborted) return;
      if ([this.#groups, this.#nodes, this.#record].some(({ revision }) => revision === 0n)) continue;
      try {
        wakeMs = await this.#decide(signal);
        failures = 0;
      } catch (error) {
        if (!isUnavailable(error) && !isUnknown(error)) throw error;
        // What became of it comes with the watch, if it was done at all.
        await pauseAfter(++failures, signal);
        this.#news();
      }
    }
  }

  /** @returns when to look again, Unix ms. */
  async #decide(signal: AbortSignal): Promise<number | undefined> {
    const nowMs = Date.now();
    const known = this.#reader.groups(this.#groups.entries);
    const nodes = this.#reader.nodes(this.#nodes.entries);
    const { groups, untilMs } = this.#withoutFresh(known, nodes, nowMs);
    const placement = this.#place(groups, nodes);
    const standing = this.#standing(groups, nodes, nowMs);
    const entries = new Map(this.#groups.entries);
    let wakeMs = untilMs;
    let revision = 0n;
    for (const [group, stored] of groups) {
      const lead = leadGroup(
        {
          ...stored,
          reports: new Map([...stored.reports].filter(([id]) => nodes.has(id))),
          nodes: standing,
          placed: slotsOf(placement.nodes, group),
          unplaced: slotsOf(placement.unplaced, group),
        },
        nowMs,
      );
      if (lead.wakeMs !== undefined) wakeMs = Math.min(wakeMs ?? lead.wakeMs, lead.wakeMs);
      let last = entries.get(statusKey(group))?.modRevision ?? 0n;
      const epoch = this.#epochOf(group, stored);
      const source = { group, stored, lead, epoch, entries, nodes, nowMs };
      for (const { compares, ops } of transactionsOf(source)) {
        const done = await this.#hold.txn([chain(group, last), ...compares], ops, [], { signal });
        last = done.revision;
        if (done.revision > revision) ({ revision } = done);
        if (done.succeeded) continue;
        // What it was decided by has changed since: the news are on their way.
        log('groups: decided by what has changed since', { group });
        await pauseAfter(1, signal);
        this.#news();
        break;
      }
    }
    if (revision > 0n) await this.#groups.reach(revision, AbortSignal.any([signal, AbortSignal.timeout(reachMs)]));
    return wakeMs;
  }

  /**
   * A group of which nothing was placed yet waits for nodes that are on their way, since their agents are just asked to take part: else the
   * first one would get all of it. What has been placed once waits for nobody.
   */
  #withoutFresh(
    groups: ReadonlyMap<string, StoredGroup>,
    nodes: ReadonlyMap<number, LivingNode>,
    nowMs: number,
  ): { readonly groups: ReadonlyMap<string, StoredGroup>; readonly untilMs: number | undefined } {
    const recorded = this.#reader.record(this.#record.entries)?.nodes.map(({ id }) => id);
    const isComplete = (recorded ?? this.#expected()).every((id) => nodes.has(id));
    let untilMs: number | undefined;
    const settled = [...groups].filter(([group, { orders, wanted, status }]) => {
      if (isComplete || orders.size > 0 || wanted.rest !== undefined || status !== undefined) {
        this.#fresh.delete(group);
        return true;
      }
      const seenMs = this.#fresh.get(group) ?? nowMs;
      this.#fresh.set(group, seenMs);
      if (nowMs >= seenMs + arrivalMs) return true;
      untilMs = Math.min(untilMs ?? Infinity, seenMs + arrivalMs);
      return false;
    });
    return { groups: new Map(settled), untilMs };
  }

  #epochOf(group: string, { orders, reports }: StoredGroup): bigint {
    const [before, token] = [this.#epochs.get(group), this.#hold.token];
    const epoch = epochOf({ before, token, orders: orders.values(), reports: reports.values() });
    this.#epochs.set(group, epoch);
    if (epoch > (before ?? token))
      log('groups: goes above an epoch that has been seen', { group, epoch: String(epoch) });
    return epoch;
  }

  #place(groups: ReadonlyMap<string, StoredGroup>, nodes: ReadonlyMap<number, LivingNode>): Placement {
    const running = [...groups.values()].filter((group) => isToRun(group));
    const ordered = new Map<string, number>();
    const unmeasured = new Set<string>();
    for (const [group, { orders }] of groups) {
      for (const [node, { slots, serial }] of orders) {
        for (const { slot } of slots) {
          const name = replicaName({ group, slot });
          ordered.set(name, node);
          if (serial > (nodes.get(node)?.serial ?? 0n)) unmeasured.add(name);
        }
      }
    }
    const record = this.#reader.record(this.#record.entries);
    const placement = placeGroups({
      groups: running.map(({ wanted }) => wanted.spec),
      nodes: [...nodes.values()].map((node) => placeableNode(node, record)),
      current: new Map([...ordered, ...this.#current]),
      unmeasured,
    });
    this.#current = placement.nodes;
    return placement;
  }

  /** Of every node that lives, and of those that are lost and have an order still. */
  #standing(
    groups: ReadonlyMap<string, StoredGroup>,
    nodes: ReadonlyMap<number, LivingNode>,
    nowMs: number,
  ): Map<number, NodeStanding> {
    const standing = new Map<number, NodeStanding>();
    for (const [id, { name }] of nodes) {
      this.#lost.delete(id);
      this.#names.set(id, name);
      standing.set(id, { isAlive: true, name });
    }
    for (const id of new Set([...groups.values()].flatMap(({ orders }) => [...orders.keys()]))) {
      if (nodes.has(id)) continue;
      const seenMs = this.#lost.get(id) ?? nowMs;
      this.#lost.set(id, seenMs);
      const free = freeAtMs(seenMs, fenceTimes(this.#ttlMs));
      standing.set(id, { isAlive: false, name: this.#names.get(id) ?? `node ${id}`, freeAtMs: free });
    }
    return standing;
  }

  #news(): void {
    this.#isNews = true;
    this.#wake?.();
  }

  async #untilNews(wakeMs: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#isNews) {
      await new Promise<void>((resolve) => {
        const timer = wakeMs === undefined ? undefined : setTimeout(resolve, Math.max(0, wakeMs - Date.now()));
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
        if (signal.aborted) done();
      });
      this.#wake = undefined;
      await new Promise((resolve) => setTimeout(resolve, gatherMs));
    }
    this.#isNews = false;
  }
}

/** The mirror is waited for so long; then it is decided by what it has, which the store's comparisons make safe. ms */
const reachMs = 5_000;

function isToRun({ wanted, status }: StoredGroup): boolean {
  const failed = status?.round === wanted.round ? status.failed : undefined;
  return wanted.rest === undefined && failed === undefined;
}

function slotsOf<T>(byReplica: ReadonlyMap<string, T>, group: string): Map<number, T> {
  const found = new Map<number, T>();
  for (const [name, value] of byReplica) {
    const id = parseReplicaName(name);
    if (id === undefined) throw new NshError('internal', `${name} is no name of a replica`);
    if (id.group === group) found.set(id.slot, value);
  }
  return found;
}
