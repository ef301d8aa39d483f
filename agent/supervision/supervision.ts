/**
 * What an agent has to do with groups, from the time that somebody asks it to take part until no group is wanted any more: its session, the
 * orders for this node, its reports, and standing for leader. That it takes part is on disk, so that the next agent begins by itself.
 */
import { bootIdentity } from '../../src/cluster/this-machine.ts';
import type { NodePaths } from '../../src/cluster/paths.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import { orderPrefix, readNodeGroupKey, orderPrefixes, wantedPrefix } from '../../src/policy/supervision/store-keys.ts';
import type { Order } from '../../src/policy/supervision/order.ts';
import { readOrder } from '../../src/policy/supervision/stored.ts';
import type { NodePresence } from '../../src/policy/supervision/wanted.ts';
import { isClosed } from '../../src/store/errors.ts';
import type { Entry, Store, StoreSession } from '../../src/store/store.ts';
import { log } from '../daemon/log.ts';
import type { NodeService } from '../daemon/node-service.ts';
import type { ShimPool } from '../daemon/shim-pool.ts';
import { nodeInfo } from '../procfs/index.ts';
import { EventLog } from './event-log.ts';
import { GroupFiles } from './group-files.ts';
import { standForLeader } from './leader.ts';
import { MemoryLimits } from './memory-limit.ts';
import { Mirror } from './mirror.ts';
import { NodeRuntime } from './node-runtime.ts';
import { Presence } from './presence.ts';
import { Replicas } from './replicas.ts';
import { Reports } from './reports.ts';

export interface SupervisionOptions {
  readonly node: NodeSpec;
  readonly paths: NodePaths;
  readonly shims: ShimPool;
  readonly service: NodeService;
  /** A store of its own for what is done here, also where it cannot be reached yet. */
  readonly openStore: () => Store;
  readonly labels: () => readonly string[];
  /** Ids of the nodes of the cluster, as this agent knows them. */
  readonly expected: () => readonly number[];
  /** Of this node's session. */
  readonly ttlSeconds: number;
  /** After which `isHeld` may be another. */
  readonly onChange: () => void;
}

/** How long whoever asks is kept waiting until this node is known to live. */
const upDeadlineMs = 10_000;
/** How long the end of the agent waits for the store. */
const closeMs = 1_000;
/** After a failure that nobody has foreseen, ms. */
const againMs = 1_000;

export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #files: GroupFiles;
  #part: Part | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** To another store. */
  #change: Promise<void> = Promise.resolve();

  constructor(options: SupervisionOptions) {
    this.#options = options;
    this.#files = new GroupFiles(options.paths.state);
  }

  /** It takes part: this agent must not end for want of clients. */
  get isHeld(): boolean {
    return this.#part !== undefined;
  }

  /** At the start of the agent: goes on with what the one before did. */
  start(): void {
    if (this.#files.takesPart) this.#begin();
  }

  /**
   * The store is another one: what was known of the one before, and the session in it, are of no use. Replicas run on until that says
   * otherwise. Also who took no part may be wanted there: it looks, and leaves where no group is.
   */
  async beginAnew(): Promise<void> {
    const { expected, node } = this.#options;
    if (this.#isStopped || (this.#part === undefined && !expected().includes(node.id))) return;
    log('groups: begins anew with another store');
    this.#change = Promise.all([this.#change, this.#part?.stop(false), this.#running]).then(() => {
      if (!this.#isStopped) this.#part ??= this.#begin();
    });
    await this.#change;
  }

  /** Takes part from now on. @returns why others cannot know of it yet; undefined: they do. */
  async takePart(signal: AbortSignal): Promise<string | undefined> {
    await this.#change;
    if ((await this.#part?.isGoing()) === true) await this.#running;
    if (this.#isStopped) return 'the agent ends';
    this.#part ??= this.#begin();
    return await this.#part.untilUp(AbortSignal.any([signal, AbortSignal.timeout(upDeadlineMs)]));
  }

  /** The table of processes has changed. */
  check(): void {
    this.#part?.check();
  }

  /** Replicas run on, and the next agent goes on with the session. @param isEmpty nothing runs any more: it is given back. */
  async stop(isEmpty: boolean): Promise<void> {
    this.#isStopped = true;
    await this.#part?.stop(isEmpty);
    await this.#running;
  }

  /** Nothing is started or ended here from now on: all that runs is about to be ended. */
  freeze(): void {
    this.#isStopped = true;
    this.#part?.freeze();
  }

  #begin(): Part {
    this.#files.takesPart = true;
    const part = new Part(this.#options, this.#files);
    this.#part = part;
    this.#options.onChange();
    this.#running = part.run().then(
      () => this.#ended(part),
      (error: unknown) => {
        log('groups: takes part anew', { message: String(error) });
        this.#ended(part);
        setTimeout(() => {
          if (this.#part === undefined && !this.#isStopped && this.#files.takesPart) this.#begin();
        }, againMs);
      },
    );
    return part;
  }

  #ended(part: Part): void {
    if (this.#part === part) this.#part = undefined;
    this.#options.onChange();
  }
}

class Part {
  readonly #options: SupervisionOptions;
  readonly #files: GroupFiles;
  readonly #ends = new AbortController();
  readonly #runtime: NodeRuntime;
  readonly #replicas: Replicas;
  readonly #reports: Reports;
  readonly #events: EventLog;
  readonly #memory = new MemoryLimits();
  #presence: Presence | undefined;
  /** Of the time that the node is known to live. */
  #up: AbortController | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #problem = 'the store has not answered yet';
  readonly #onUp = new Set<() => void>();
  #closing: Promise<void> | undefined;
  /** Groups that have an order for this node. */
  readonly #ordered = new Set<string>();
  #leave: (() => void) | undefined;
  /** It leaves, or thinks about it; what comes of that. */
  #leaving: Promise<boolean> | undefined;
  #hasBegun = false;

  constructor(options: SupervisionOptions, files: GroupFiles) {
    const { node, paths, shims, service } = options;
    this.#options = options;
    this.#files = files;
    this.#reports = new Reports(node.id);
    this.#events = new EventLog(node.id);
    this.#runtime = new NodeRuntime({
      files,
      onReport: (report) => {
        if (report.replicas.length === 0 && !this.#ordered.has(report.group)) this.#reports.remove(report.group);
        else this.#reports.put(report);
      },
      onEvent: (group, event) => this.#events.add(group, event),
    });
    this.#replicas = new Replicas({
      memory: this.#memory,
      service,
      shims,
      files,
      node: node.id,
      processes: paths.processes,
      agentSocket: paths.agentSocket,
      killAtBootMs: () => (this.#presence?.isUp === true ? this.#presence.killAtBootMs : undefined),
      tell: (event) => this.#runtime.feed(event),
      onFault: ({ group, slot, run }, why) => {
        const text = `its ready probe cannot be asked: ${why}`;
        this.#events.add(group, { atMs: Date.now(), slot, run, kind: 'probe', text });
      },
    });
  }

  /** Until it leaves or is stopped. */
  async run(): Promise<void> {
    const { signal } = this.#ends;
    await this.#options.shims.needRecords();
    this.#runtime.begin(this.#replicas);
    this.#hasBegun = true;
    const store = this.#options.openStore();
    this.#presence = new Presence({
      store,
      node: this.#options.node.id,
      ttlSeconds: this.#options.ttlSeconds,
      ids: this.#files,
      facts: () => this.#facts(),
      onUp: (session) => this.#goUp(store, session),
      onProblem: (why) => {
        this.#problem = why;
      },
      onRenewed: (killAtBootMs) => this.#replicas.renewed(killAtBootMs),
      onCutOff: () => {
        this.#up?.abort();
        this.#runtime.feed({ kind: 'fenced' });
      },
      // Mostly they have ended by now; but it may have been revoked by hand.
      onLost: () => this.#replicas.renewed(0),
    });
    try {
      await this.#presence.keep(signal);
    } finally {
      this.#runtime.close();
      this.#events.use(undefined);
      this.#up?.abort();
      await Promise.race([this.#work, timeout(closeMs)]);
      await this.#closing;
      this.#presence.release();
      await store.close();
    }
  }

  async untilUp(signal: AbortSignal): Promise<string | undefined> {
    if (this.#presence?.isUp !== true)
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#onUp.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#onUp.add(done);
        signal.addEventListener('abort', done, { once: true });
        if (signal.aborted) done();
      });
    return this.#presence?.isUp === true ? undefined : this.#problem;
  }

  /** Whether it is about to end; where it just thinks about that, when it has decided. */
  async isGoing(): Promise<boolean> {
    return (await this.#leaving) === true;
  }

  check(): void {
    if (!this.#hasBegun) return;
    this.#replicas.check();
    this.#leave?.();
  }

  freeze(): void {
    this.#runtime.close();
  }

  async stop(isEmpty: boolean): Promise<void> {
    this.freeze();
    this.#up?.abort();
    await Promise.race([this.#work, timeout(closeMs)]);
    // Where the store does not answer the session ends by itself; where something could not be ended, it must.
    if (isEmpty && this.#replicas.haveEnded) this.#closing = this.#presence?.close(closeMs).catch(() => undefined);
    await this.#closing;
    this.#ends.abort();
  }

  #facts(): NodePresence {
    const { memTotalKb, memAvailableKb } = nodeInfo();
    return {
      name: this.#options.node.name,
      boot: bootIdentity(),
      fences: true,
      memTotalBytes: memTotalKb * 1024,
      memAvailableBytes: memAvailableKb * 1024,
      memoryLimit: this.#memory.kind,
      labels: [...this.#options.labels()],
    };
  }

  /** What was read before may be out of date: orders are read anew, under a session that others see. */
  #goUp(store: Store, session: StoreSession): void {
    this.#up?.abort();
    const up = new AbortController();
    this.#up = up;
    const before = this.#work;
    this.#work = before
      .then(() => this.#workWhileUp(store, session, up.signal))
      .catch((error: unknown) => {
        if (isClosed(error) || up.signal.aborted) return;
        log('groups: begins anew', { message: String(error) });
        up.abort();
        setTimeout(() => {
          if (this.#up === up && this.#presence?.isUp === true) this.#goUp(store, session);
        }, againMs).unref();
      });
    for (const done of this.#onUp) done();
  }

  async #workWhileUp(store: Store, session: StoreSession, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { node } = this.#options;
    const ordered = this.#ordered;
    const orders = new Mirror(store, orderPrefix(node.id), {
      onListed: () => {
        if (signal.aborted) return;
        ordered.clear();
        for (const entry of orders.entries.values()) this.#takeOrder(entry, ordered);
        this.#runtime.feed({ kind: 'listed', groups: [...ordered] });
        this.#events.use(store);
      },
      onChanged: (events) => {
        if (signal.aborted) return;
        for (const event of events) {
          if (event.type === 'put') this.#takeOrder(event.entry, ordered);
          else this.#dropOrder(event.key, ordered);
        }
      },
    });
    const wanted = new Mirror(store, wantedPrefix, {
      onListed: () => this.#leave?.(),
      onChanged: () => this.#leave?.(),
    });
    this.#leave = () => {
      if (!signal.aborted && wanted.revision > 0n) void this.#considerLeaving(store, wanted);
    };
    const party = {
      gpid: toGpid(node.id, process.pid),
      node: node.name,
      command: 'nsh-agent',
      since: Date.now(),
      within: [],
    };
    await Promise.all([
      orders.follow(signal),
      wanted.follow(signal),
      standForLeader({ store, session, party }, this.#options.expected, signal),
      orders.reach(1n, signal).then(() => this.#reports.send(store, (group) => ordered.has(group), signal)),
    ]);
  }

  #takeOrder(entry: Entry, ordered: Set<string>): void {
    const group = readNodeGroupKey(orderPrefixes, entry.key)?.group;
    if (group === undefined) return;
    ordered.add(group);
    let order: Order;
    try {
      order = readOrder(Buffer.from(entry.value).toString('utf8'), group, entry.modRevision);
    } catch (error) {
      log('groups: an order cannot be read', { group, message: String(error) });
      return;
    }
    this.#runtime.feed({ kind: 'order', order });
  }

  #dropOrder(key: string, ordered: Set<string>): void {
    const group = readNodeGroupKey(orderPrefixes, key)?.group;
    if (group === undefined) return;
    ordered.delete(group);
    this.#runtime.feed({ kind: 'listed', groups: [...ordered] });
    if (!this.#runtime.groups.includes(group)) this.#reports.remove(group);
  }

  /** Nothing is wanted of anybody, and nothing runs here: the agent is as one that never took part. */
  async #considerLeaving(store: Store, wanted: Mirror): Promise<void> {
    const isIdle = (): boolean => wanted.entries.size === 0 && this.#replicas.isEmpty;
    if (!isIdle() || this.#leaving !== undefined || this.#ends.signal.aborted) return;
    // Whoever has asked it to take part has put what is wanted before.
    const goes = store.list(wantedPrefix, { limit: 1, keysOnly: true }).then(
      ({ entries }) => entries.length === 0 && isIdle(),
      // The store cannot be reached: it is asked again with the next news.
      () => false,
    );
    this.#leaving = goes;
    if (!(await goes)) {
      this.#leaving = undefined;
      return;
    }
    log('groups: none is wanted');
    this.#files.takesPart = false;
    await this.stop(true);
  }
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
