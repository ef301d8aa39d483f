/**
 * The processes of replicas on this node: started through the shim with a mark in their record, watched to their end, signalled, and found
 * again by the next agent. What is to be done is the node policy's to say (src/policy/supervision/node.ts); this tells it what happened.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { bootIdentity, runsSince } from '../../src/cluster/this-machine.ts';
import { localPid, type NodeId } from '../../src/ids/gpid.ts';
import { findSignal } from '../../src/ids/signals.ts';
import type { End } from '../../src/policy/supervision/end.ts';
import { replicaName } from '../../src/policy/supervision/identity.ts';
import type { NodeAction, NodeEvent } from '../../src/policy/supervision/node.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { defaultKeepBytes } from '../../src/protocol/limits.ts';
import type { ExitStatus, ManagedProcess, ReplicaMark } from '../../src/protocol/process.ts';
import { exitNow } from '../lost-process.ts';
import { isRunning } from '../daemon/managed-table.ts';
import { log } from '../daemon/log.ts';
import type { NodeService } from '../daemon/node-service.ts';
import type { ShimPool } from '../daemon/shim-pool.ts';
import type { GroupFiles } from './group-files.ts';
import type { MemoryLimits } from './memory-limit.ts';
import { Probe } from './probe.ts';
import { findUnrecorded } from './unrecorded.ts';
import { directoryName } from '../shim/record-files.ts';

export type StartAction = Extract<NodeAction, { kind: 'start' }>;
export type SignalAction = Extract<NodeAction, { kind: 'signal' | 'kill' }>;

export interface ReplicasOptions {
  readonly node: NodeId;
  readonly service: NodeService;
  readonly shims: ShimPool;
  readonly files: GroupFiles;
  readonly memory: MemoryLimits;
  /** Directory of the records of processes. */
  readonly processes: string;
  /** In the environment of all that is started here. */
  readonly agentSocket: string;
  /** ms of CLOCK_BOOTTIME until which a singleton may run; undefined: none may be started. */
  readonly killAtBootMs: () => number | undefined;
  readonly tell: (event: NodeEvent) => void;
  /** For people: its ready probe cannot be asked. */
  readonly onFault: (mark: ReplicaMark, why: string) => void;
}

interface Tracked {
  readonly mark: ReplicaMark;
  readonly process: ManagedProcess;
  readonly isSingleton: boolean;
  readonly memoryBytes: number;
  probe: Probe | undefined;
}

export interface FoundProcess {
  readonly mark: ReplicaMark;
  readonly process: ManagedProcess;
  readonly wasReady: boolean;
}

const killSignal = 9;
const gonePollMs = 20;
/** From the loss of a shim: what it had just forked has become the program by then. */
const unrecordedAgainMs = 2_000;
/** A shim has so long to signal a process; a singleton has to have ended soon after the fence. */
const signalMs = 2_000;
/** What a KILL does not end at once waits for a disk, mostly. */
const longestPollMs = 1_000;
/** What could not be killed is tried again after so long. */
const strayAgainMs = 5_000;

export class Replicas {
  readonly #options: ReplicasOptions;
  /** By name: one of each. */
  readonly #tracked = new Map<string, Tracked>();
  readonly #starting = new Set<string>();
  /** Their end was heard of, but they may live on. */
  readonly #ending = new Set<Tracked>();
  readonly #strays = new Set<string>();
  /** At the last look; undefined: there was none. */
  #seenShims: ReadonlySet<string> | undefined;
  #isClosed = false;

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Nothing is there, and nothing on its way. */
  get isEmpty(): boolean {
    return this.#tracked.size === 0 && this.#starting.size === 0 && this.#ending.size === 0;
  }

  /** As `isEmpty`, also where nobody has told of their end yet. */
  get haveEnded(): boolean {
    return (
      this.#starting.size === 0 &&
      ![...this.#tracked.values()].some(({ process }) => runsSince(process.pid, process.start))
    );
  }

  processOf(group: string, slot: number): ManagedProcess | undefined {
    return this.#tracked.get(replicaName({ group, slot }))?.process;
  }

  /**
   * What former agents have started, the newest of each slot: to be called before anything is started. What has ended may have done so while
   * nobody looked.
   */
  find(): FoundProcess[] {
    const found = new Map<string, FoundProcess>();
    for (const process of this.#options.shims.table.all()) {
      const mark = process.replica;
      if (mark === undefined) continue;
      const before = found.get(replicaName(mark))?.process;
      if (before !== undefined && !isNewer(process, before)) continue;
      found.set(replicaName(mark), { mark, process, wasReady: this.#options.files.hasBeenReady(keyOf(process)) });
    }
    this.#options.files.keepReady(new Set([...found.values()].map(({ process }) => keyOf(process))));
    return [...found.values()];
  }

  /** Takes over one that was found. */
  adopt(process: ManagedProcess, mark: ReplicaMark, spec: GroupSpec, wasReady: boolean): void {
    this.#track(process, mark, spec, wasReady);
  }

  /** @param token of the order that it is started by: a singleton that runs on another node later has a greater one. */
  start({ group, slot, run, version, spec }: StartAction, token: bigint): void {
    const name = replicaName({ group, slot });
    this.#starting.add(name);
    void this.#startNow({ group, slot, run, version }, spec, token).then(
      (process) => {
        this.#starting.delete(name);
        this.#track(process, { group, slot, run, version }, spec, false);
        this.#options.tell({ kind: 'started', group, slot, run });
        this.check();
      },
      (error: unknown) => {
        this.#starting.delete(name);
        const why = error instanceof Error ? error.message : String(error);
        log('groups: a replica was not started', { name, run, why });
        this.#options.tell({ kind: 'ended', group, slot, run, end: { kind: 'notStarted', why } });
        this.check();
      },
    );
  }

  signal(action: SignalAction): void {
    const { group, slot, run } = action;
    const tracked = this.#tracked.get(replicaName({ group, slot }));
    if (tracked?.mark.run !== run) return;
    const signal = action.kind === 'kill' ? killSignal : (findSignal(action.signal) ?? killSignal);
    void this.#send(tracked.process, signal);
  }

  /** The session was renewed: singletons may run on until then. 0: it has ended, and they end now. */
  renewed(killAtBootMs: number): void {
    for (const shim of this.#options.shims.shims) {
      const processes = [...this.#tracked.values()]
        .filter(({ isSingleton, process }) => isSingleton && process.shim.id === shim.id)
        .map(({ process: { pid, start, boot } }) => ({ pid, start, boot }));
      if (processes.length === 0) continue;
      // A shim that does not take it kills them: that is what it is for.
      shim.call('killAt', { processes, bootMs: killAtBootMs }).catch((error: unknown) => {
        log('groups: the deadline was not prolonged', { shim: shim.id, message: String(error) });
      });
    }
  }

  /** The table of processes has changed. */
  check(): void {
    if (this.#isClosed) return;
    const { table } = this.#options.shims;
    for (const [name, tracked] of this.#tracked) {
      const exit = exitOf(tracked.process, table.find(tracked.process));
      if (exit === undefined) continue;
      this.#tracked.delete(name);
      tracked.probe?.stop();
      this.#options.files.noteReady(keyOf(tracked.process), false);
      void this.#tellEnd(tracked, exit);
    }
    this.#endStrays();
    this.#lookForUnrecorded();
  }

  /** What is started or found from now on is the next one's matter. */
  close(): void {
    this.#isClosed = true;
    for (const { probe } of this.#tracked.values()) probe?.stop();
  }

  async #startNow(mark: ReplicaMark, spec: GroupSpec, token: bigint): Promise<ManagedProcess> {
    const { service, killAtBootMs } = this.#options;
    const killAt = spec.singleton ? killAtBootMs() : undefined;
    if (spec.singleton && killAt === undefined)
      throw new NshError('storeUnavailable', 'a singleton is started only while the store knows of this node');
    const { limits, cgroup } = this.#options.memory.limitOf(mark, spec.memoryBytes);
    return await service.start(runParams(mark, spec, limits, token), {
      replica: mark,
      ...(killAt === undefined ? {} : { killAtBootMs: killAt }),
      ...(cgroup === undefined ? {} : { cgroup }),
    });
  }

  #track(process: ManagedProcess, mark: ReplicaMark, spec: GroupSpec, wasReady: boolean): void {
    const tracked: Tracked = {
      mark,
      process,
      isSingleton: spec.singleton,
      memoryBytes: spec.memoryBytes,
      probe: undefined,
    };
    this.#tracked.set(replicaName(mark), tracked);
    const { files, service, tell, processes } = this.#options;
    if (spec.ready === undefined || this.#isClosed) return;
    const { group, slot, run } = mark;
    tracked.probe = new Probe({
      probe: spec.ready,
      // Not looked for anew: where it is gone the probe fails, and nothing else.
      cwd: process.cwd,
      environment: service.environment(runParams(mark, spec, undefined)),
      directory: `${processes}/${directoryName(process)}`,
      isReady: wasReady,
      onChange: (isReady) => {
        files.noteReady(keyOf(process), isReady);
        tell({ kind: isReady ? 'ready' : 'unready', group, slot, run });
      },
      onFault: (why) => this.#options.onFault(mark, why),
    });
  }

  async #tellEnd(tracked: Tracked, exit: ExitStatus): Promise<void> {
    const { mark, process, memoryBytes } = tracked;
    const { group, slot, run } = mark;
    this.#ending.add(tracked);
    // Its shim was killed, and it lives on, nobody's: it is ended before another takes its place.
    for (
      let waitMs = gonePollMs;
      exitNow(process, exit).runsOn === true;
      waitMs = Math.min(2 * waitMs, longestPollMs)
    ) {
      signalGroup(process, killSignal);
      await delay(waitMs);
    }
    this.#ending.delete(tracked);
    const end = this.#options.memory.explain(mark, memoryBytes, endOf(process, exit));
    this.#options.tell({ kind: 'ended', group, slot, run, end });
  }

  /**
   * Processes with the mark of a replica that nobody knows: their start was given up, since the shim did not answer in time, or was killed;
   * or it was killed while there was no agent, and they are to be here no more.
   */
  #endStrays(): void {
    if (this.#isClosed) return;
    const known = new Set([...this.#tracked.values(), ...this.#ending].map(({ process }) => keyOf(process)));
    for (const process of this.#options.shims.table.all()) {
      const { replica } = process;
      if (replica === undefined || known.has(keyOf(process))) continue;
      const name = replicaName(replica);
      if (isRunning(process) ? this.#starting.has(name) : !livesOn(process)) continue;
      if (this.#strays.has(keyOf(process))) continue;
      this.#strays.add(keyOf(process));
      log('groups: a replica that is not wanted is ended', { name, pid: process.pid });
      void this.#send(process, killSignal);
      setTimeout(() => {
        this.#strays.delete(keyOf(process));
        this.#endStrays();
      }, strayAgainMs).unref();
    }
  }

  /** Where a shim has gone that was there the last time, or all that were before: at once, and when what it had just begun is there. */
  #lookForUnrecorded(): void {
    const ids = new Set(this.#options.shims.shims.map(({ id }) => id));
    const isGone = this.#seenShims === undefined || [...this.#seenShims].some((id) => !ids.has(id));
    this.#seenShims = ids;
    if (!isGone) return;
    this.#endUnrecorded();
    setTimeout(() => this.#endUnrecorded(), unrecordedAgainMs).unref();
  }

  #endUnrecorded(): void {
    if (this.#isClosed) return;
    const { node, agentSocket, shims } = this.#options;
    for (const { pid, start, name } of findUnrecorded(node, agentSocket)) {
      if (shims.table.find({ pid: localPid(pid), start }) !== undefined) continue;
      log('groups: a replica without a record is ended', { name, pid });
      signalGroup({ pid, start }, killSignal);
    }
  }

  async #send(process: ManagedProcess, signal: number): Promise<void> {
    try {
      const shim = this.#options.shims.byId(process.shim.id);
      if (shim === undefined) throw new NshError('linkLost', 'its shim is not there');
      await shim.call('signal', { process, signal, group: true }, signalMs);
    } catch (error) {
      if (error instanceof NshError && error.code === 'noSuchProcess') return;
      log('groups: signal', { pid: process.pid, signal, message: String(error) });
      // A shim that stands still has not reaped it, and one that is gone was its parent: the PID is hardly another's.
      signalGroup(process, signal);
    }
  }
}

function runParams(
  { group, slot }: ReplicaMark,
  spec: GroupSpec,
  limits: Record<string, number> | undefined,
  token?: bigint,
) {
  const name = replicaName({ group, slot });
  const tokens = token === undefined || !spec.singleton ? {} : { NSH_FENCING_TOKEN: String(token) };
  return {
    argv: [...spec.argv],
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    env: { ...spec.env, NSH_GROUP: group, NSH_REPLICA: String(slot), ...tokens },
    name,
    io: 'pipes' as const,
    stdin: 'null' as const,
    keepBytes: defaultKeepBytes,
    onDisconnect: 'keep' as const,
    starter: { gpid: 0, user: 'nsh', host: `group ${group}` },
    ...(limits === undefined ? {} : { limits }),
  };
}

/** One whose record is gone has ended when its process has. */
function exitOf({ pid, start }: ManagedProcess, record: ManagedProcess | undefined): ExitStatus | undefined {
  if (record !== undefined || runsSince(pid, start)) return record?.exit;
  return { code: null, signal: null, atMs: Date.now(), lost: 'its record is gone' };
}

function endOf({ boot }: ManagedProcess, { code, signal, lost }: ExitStatus): End {
  if (lost !== undefined)
    return { kind: 'lost', why: lost, ...(boot === bootIdentity() ? {} : { withMachine: true as const }) };
  if (signal !== null) return { kind: 'signalled', signal: signal.replace(/^SIG/, '') };
  return { kind: 'exited', code: code ?? 0 };
}

function signalGroup(target: { readonly pid: number; readonly start: number }, signal: number): void {
  for (const pid of [-target.pid, target.pid])
    try {
      if (!runsSince(target.pid, target.start)) return;
      process.kill(pid, signal);
      return;
    } catch {
      // It has ended since, or leads no group any more.
    }
}

/** Its shim was killed, and it was not. */
function livesOn(process: ManagedProcess): boolean {
  return process.exit?.lost !== undefined && exitNow(process, process.exit).runsOn === true;
}

function keyOf({ pid, start, boot }: ManagedProcess): string {
  return `${pid} ${start} ${boot}`;
}

function isNewer(a: ManagedProcess, b: ManagedProcess): boolean {
  return isRunning(a) === isRunning(b) ? a.startedAtMs > b.startedAtMs : isRunning(a);
}
