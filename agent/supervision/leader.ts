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
import { leadGroup, type StoredGroup } from '../../src/policy/supervision/lead.ts';
import type { NodeStanding } from '../../src/policy/supervision/plan-group.ts';
import { eventPrefixes, eventsKey, statusKey, wantedKey } from '../../src/policy/supervision/store-keys.ts';
import { writeEvents } from '../../src/policy/supervision/stored.ts';
import { isClosed, isSessionLost, isUnavailable, isUnknown } from '../../src/store/errors.ts';
import type { Compare, Entry, Op } from '../../src/store/store.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { log } from '../daemon/log.ts';
import { GroupReader, placeableNode, type LivingNode } from './group-facts.ts';
import { chain, transactionsOf } from './lead-writes.ts';
import { Mirror } from './mirror.ts';
import { Settled, type Look } from './settled.ts';

/** Of the election; nobody's lock or election is called so by chance. */
export const leaderElection = 'nsh groups';
/** News that come together are looked at together, ms. */
const gatherMs = 10;
/** No timer goes further (setTimeout counts in 31 bits); it is just looked again then. */
const longestMs = 2 ** 31 - 1;
/** A node that this leader misses may be on its way for so long, ms: its agent is reached and started, logs in to the store and opens a session. */
const arrivalMs = 5_000;

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
  readonly #settled = new Settled();
  /** Group → why it cannot be led, as it was told. */
  readonly #troubles = new Map<string, string>();
  /** Node id → since when it does not take part, as far as this leader knows. */
  readonly #missing = new Map<number, number>();
  /** Of its orders for each group. */
  readonly #epochs = new Map<string, bigint>();
  #isNews = false;
  #wake: (() => void) | undefined;

  constructor({ store, session }: Participant, hold: Hold, expected: () => readonly number[]) {
    this.#hold = hold;
    this.#expected = expected;
    this.#ttlMs = session.ttlMs;
    const onNews = (): void => this.#news();
    this.#groups = new Mirror(store, 'group/', {
      onListed: onNews,
      // What happened is told to people, and nothing is decided by it.
      onChanged: (events) => {
        if (events.some(({ key }) => !key.startsWith(eventPrefixes))) this.#news();
      },
    });
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

  /** @returns when to look again, ms of `steadyMs`. */
  async #decide(signal: AbortSignal): Promise<number | undefined> {
    const nowMs = steadyMs();
    const known = this.#reader.groups(this.#groups.entries);
    const nodes = this.#reader.nodes(this.#nodes.entries);
    const { groups, untilMs } = this.#withoutFresh(known, nodes, nowMs);
    const placement = this.#place(groups, nodes);
    const [placed, unplaced] = [bySlot(placement.nodes), bySlot(placement.unplaced)];
    const standing = this.#standing(groups, nodes, nowMs);
    const standingText = JSON.stringify([...standing]);
    const view: View = { nodes, standing, entries: new Map(this.#groups.entries), nowMs, signal };
    let wakeMs = untilMs ?? Infinity;
    let revision = 0n;
    this.#settled.keep(groups);
    for (const [group, stored] of groups) {
      const look: Look = {
        stored,
        standing: standingText,
        placed: placed.get(group) ?? new Map<number, number>(),
        unplaced: unplaced.get(group) ?? new Map<number, string>(),
      };
      const settledMs = this.#settled.until(group, look, nowMs);
      if (settledMs !== undefined) {
        wakeMs = Math.min(wakeMs, settledMs);
        continue;
      }
      try {
        const led = await this.#leadOne(group, look, view);
        wakeMs = Math.min(wakeMs, led.wakeMs);
        if (led.revision > revision) ({ revision } = led);
      } catch (error) {
        if (signal.aborted || !isOfOneGroup(error)) throw error;
        wakeMs = Math.min(wakeMs, nowMs + troubleMs);
        this.#settled.put(group, look, nowMs + troubleMs);
        await this.#tellTrouble(group, error, view);
      }
    }
    if (revision > 0n) await this.#groups.reach(revision, AbortSignal.any([signal, AbortSignal.timeout(reachMs)]));
    return wakeMs === Infinity ? undefined : wakeMs;
  }

  /** @returns the revision of the last thing that was written; 0: nothing. */
  async #leadOne(group: string, look: Look, view: View): Promise<{ wakeMs: number; revision: bigint }> {
    const { stored, placed, unplaced } = look;
    const { nodes, standing, entries, nowMs, signal } = view;
    const reports = new Map([...stored.reports].filter(([id]) => nodes.has(id)));
    const lead = leadGroup({ ...stored, reports, nodes: standing, placed, unplaced }, nowMs);
    const transactions = transactionsOf({
      group,
      stored,
      lead,
      epoch: this.#epochOf(group, stored),
      entries,
      nodes,
      nowMs: Date.now(),
    });
    const wakeMs = lead.wakeMs ?? Infinity;
    if (transactions.length === 0) this.#settled.put(group, look, wakeMs);
    this.#troubles.delete(group);
    let last = entries.get(statusKey(group))?.modRevision ?? 0n;
    let revision = 0n;
    for (const { compares, ops } of transactions) {
      const done = await this.#hold.txn([chain(group, last), ...compares], ops, [], { signal });
      ({ revision } = done);
      last = revision;
      if (done.succeeded) continue;
      // What it was decided by has changed since: the news are on their way.
      log('groups: decided by what has changed since', { group });
      await pauseAfter(1, signal);
      this.#news();
      break;
    }
    return { wakeMs, revision };
  }

  /** A group that cannot be led keeps nobody from leading the others; people are told why, once. */
  async #tellTrouble(group: string, error: unknown, { signal }: View): Promise<void> {
    const text = `it cannot be led: ${error instanceof Error ? error.message : String(error)}`;
    log('groups: one cannot be led', { group, message: String(error) });
    if (this.#troubles.get(group) === text) return;
    this.#troubles.set(group, text);
    const key = eventsKey(group, 'leader');
    const value = Buffer.from(writeEvents([{ atMs: Date.now(), kind: 'failed', text }]));
    const exists: Compare = { key: wantedKey(group), on: 'create', is: '!=', to: 0n };
    await this.#hold.txn([exists], [{ op: 'put', key, value }], [], { signal });
  }

  /**
   * A group of which nothing was placed yet waits for nodes that may be on their way: their agents are just asked to take part, and the
   * first one would get all of it. What has been placed once waits for nobody, and nobody for a node that is missed for long.
   */
  #withoutFresh(
    groups: ReadonlyMap<string, StoredGroup>,
    nodes: ReadonlyMap<number, LivingNode>,
    nowMs: number,
  ): { readonly groups: ReadonlyMap<string, StoredGroup>; readonly untilMs: number | undefined } {
    const recorded = this.#reader.record(this.#record.entries)?.nodes.map(({ id }) => id);
    const missing = new Set((recorded ?? this.#expected()).filter((id) => !nodes.has(id)));
    for (const id of this.#missing.keys()) if (!missing.has(id)) this.#missing.delete(id);
    for (const id of missing) if (!this.#missing.has(id)) this.#missing.set(id, nowMs);
    const untilMs = Math.max(0, ...[...this.#missing.values()].map((sinceMs) => sinceMs + arrivalMs));
    if (nowMs >= untilMs) return { groups, untilMs: undefined };
    const settled = [...groups].filter(([, group]) => !isFresh(group));
    return { groups: new Map(settled), untilMs: settled.length < groups.size ? untilMs : undefined };
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
        const timer =
          wakeMs === undefined ? undefined : setTimeout(resolve, Math.min(longestMs, Math.max(0, wakeMs - steadyMs())));
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

/** What is common to all groups in one look. */
interface View {
  readonly nodes: ReadonlyMap<number, LivingNode>;
  readonly standing: ReadonlyMap<number, NodeStanding>;
  /** Of the store, below `group/`. */
  readonly entries: ReadonlyMap<string, Entry>;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** A group that cannot be led is looked at again after so long, or when something of it changes. ms */
const troubleMs = 30_000;
/** The mirror is waited for so long; then it is decided by what it has, which the store's comparisons make safe. ms */
const reachMs = 5_000;

/** Nothing of it was ever placed. */
function isFresh({ orders, wanted, status }: StoredGroup): boolean {
  return orders.size === 0 && wanted.rest === undefined && status === undefined;
}

function isToRun({ wanted, status }: StoredGroup): boolean {
  const failed = status?.round === wanted.round ? status.failed : undefined;
  return wanted.rest === undefined && failed === undefined;
}

/** Group → slot → what is at the name of that replica. */
function bySlot<T>(byReplica: ReadonlyMap<string, T>): Map<string, Map<number, T>> {
  const found = new Map<string, Map<number, T>>();
  for (const [name, value] of byReplica) {
    const id = parseReplicaName(name);
    if (id === undefined) throw new NshError('internal', `${name} is no name of a replica`);
    const slots = found.get(id.group) ?? new Map<number, T>();
    found.set(id.group, slots.set(id.slot, value));
  }
  return found;
}

/** Neither the store nor this one's leadership is at fault. */
function isOfOneGroup(error: unknown): boolean {
  if (error instanceof NshError && error.code === 'staleToken') return false;
  return !isUnavailable(error) && !isUnknown(error) && !isSessionLost(error) && !isClosed(error);
}

/** Unix ms for all that counts time: a clock that is set meanwhile does not change it. */
function steadyMs(): number {
  return Math.round(performance.timeOrigin + performance.now());
}
