/** The shim: the processes of one user and node that it started and has not finished with, and the ended ones on disk. */
import { uptime } from 'node:os';
import { join } from 'node:path';
import type * as v from 'valibot';
import { bootIdentity, readStart } from '../../src/cluster/this-machine.ts';
import { localPid } from '../../src/ids/gpid.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { OpenFrame } from '../../src/protocol/frames.ts';
import type { ManagedProcess, ProcessRef, ShimRef } from '../../src/protocol/process.ts';
import type { SpawnParams } from '../../src/protocol/shim-control.ts';
import { Checkpointer } from './checkpointer.ts';
import { EndedProcesses } from './ended-processes.ts';
import { LiveProcess, type ProcessEvents } from './live-process.ts';
import { directoryName, type ProcessRecord, type recordSchema } from './record-files.ts';
import { readFailure, checkStart } from './spawn-checks.ts';
import type { ProcessStarter } from './start-process.ts';
import type { Started } from './started.ts';
import { EndedTarget, LiveTarget, type StreamTarget } from './stream-target.ts';
import type { ShimOptions } from './shim-options.ts';
import type { Singleton, Singletons } from './singletons.ts';
import { pipeSlabs, ptySlabs } from './slab.ts';

export interface ShimListener {
  started(process: ManagedProcess): void;
  exited(process: LiveProcess): void;
  /** The number of processes has changed: the shim may have become idle. */
  changed(): void;
}

/** How often what is due by time alone is looked after: retention, and records that a full disk has refused. */
const sweepMs = 3_600_000;
const retryMs = 10_000;

export class Shim {
  readonly ref: ShimRef;
  readonly #options: ShimOptions;
  readonly #starter: ProcessStarter;
  readonly #listener: ShimListener;
  readonly #ended: EndedProcesses;
  readonly #checkpointer = new Checkpointer();
  /** By directory name. */
  readonly #live = new Map<string, LiveProcess>();
  readonly #owed = new Set<LiveProcess>();
  readonly #self = { pid: process.pid, start: readStart(process.pid) ?? 0 };
  readonly #singletons: Singletons;
  readonly #isLive = (name: string): boolean => this.#live.has(name);
  #starting = 0;
  #isLeaving = false;

  constructor(options: ShimOptions, starter: ProcessStarter, singletons: Singletons, listener: ShimListener) {
    this.#options = options;
    this.#starter = starter;
    this.#singletons = singletons;
    this.#listener = listener;
    this.ref = { id: options.id, socket: options.socket };
    this.#ended = new EndedProcesses(options.processes, {
      maxEnded: options.keepEnded,
      maxAgeMs: options.keepAgeSeconds * 1000,
    });
    setInterval(() => this.sweep(), sweepMs).unref();
    setInterval(() => this.#retryDisk(), retryMs).unref();
  }

  /** Processes that run, or whose output somebody still waits for. */
  get size(): number {
    return this.#live.size + this.#starting;
  }

  get runningCount(): number {
    let count = this.#starting;
    for (const process of this.#live.values()) if (process.exit === undefined) count++;
    return count;
  }

  sweep(): void {
    this.#ended.sweep(this.#isLive);
  }

  /** @throws NshError `commandNotFound`, `commandNotExecutable`, `badDirectory`, `spawnFailed`, `unsupported` */
  async spawn(params: SpawnParams): Promise<ManagedProcess> {
    if (this.#isLeaving) throw new NshError('spawnFailed', 'this shim is on its way out and takes no new process');
    checkStart(params);
    if (params.killAtBootMs !== undefined && params.killAtBootMs <= uptime() * 1000)
      throw new NshError('spawnFailed', 'its time was over before it was started: the store has not been reached');
    this.#starting++;
    const singleton = params.killAtBootMs === undefined ? undefined : this.#singletons.expect(params.killAtBootMs);
    try {
      const startedAtMs = Date.now();
      const environment = { ...params.environment, ...singleton?.environment };
      const started = await this.#starter.start({ ...params, environment });
      const { start, failure } = await started.exec;
      if (failure !== undefined) {
        if (started.terminal !== undefined) this.#starter.forgetTerminal(started.terminal);
        throw await readFailure(started, params, failure);
      }
      return this.#adopt(started, start, params, startedAtMs, singleton);
    } catch (error) {
      if (singleton !== undefined) this.#singletons.dismiss(singleton);
      throw error;
    } finally {
      this.#starting--;
      this.#listener.changed();
    }
  }

  list(): ManagedProcess[] {
    const ended = this.#ended.list(this.#isLive).map((process) => process.managed(this.ref));
    return [...ended, ...this.running()];
  }

  running(): ManagedProcess[] {
    return [...this.#live.values()].map((process) => process.managed());
  }

  /** @throws NshError `noSuchProcess`, `notPermitted` */
  signal(ref: ProcessRef, signal: number, isGroup: boolean): void {
    const process = this.#findLive(ref);
    if (process === undefined) throw new NshError('noSuchProcess', `process ${ref.pid} does not run under this shim`);
    process.leader.signal(signal, isGroup ? 'group' : 'process');
  }

  /** Of one that was started with such a time. */
  killAt(ref: ProcessRef, bootMs: number): void {
    const process = this.#findLive(ref);
    if (process !== undefined) this.#singletons.prolong(process, bootMs);
  }

  /** @throws NshError `noSuchProcess`, `notManaged` where another shim has it */
  openStream({ process: ref }: OpenFrame): StreamTarget {
    const live = this.#findLive(ref);
    if (live !== undefined) return new LiveTarget(live);
    const ended = this.#findEnded(ref);
    if (ended !== undefined) return new EndedTarget(ended);
    throw new NshError('noSuchProcess', `no record of process ${ref.pid} is kept on this node`);
  }

  /** No new processes from now on. */
  leave(): void {
    this.#isLeaving = true;
    this.#listener.changed();
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  killAll(how: 'terminate' | 'kill'): void {
    for (const process of this.#live.values()) {
      if (how === 'terminate') process.leader.terminate();
      else process.leader.kill();
    }
  }

  #adopt(
    started: Started,
    start: number,
    params: SpawnParams,
    startedAtMs: number,
    singleton: Singleton | undefined,
  ): ManagedProcess {
    const record = this.#makeRecord(started, start, params, startedAtMs);
    const name = directoryName(record);
    const process = new LiveProcess({
      started,
      params,
      record,
      directory: join(this.#options.processes, name),
      graceMs: this.#options.graceMs,
      events: this.#events,
    });
    this.#live.set(name, process);
    process.begin();
    if (singleton !== undefined) this.#singletons.begin(singleton, process);
    const managed = process.managed();
    this.#listener.started(managed);
    return managed;
  }

  #makeRecord(started: Started, start: number, params: SpawnParams, startedAtMs: number): ProcessRecord {
    const { argv, name, job, replica, cwd, io, stdout, starter, onDisconnect, keepBytes, forget } = params;
    const record: v.InferOutput<typeof recordSchema> = {
      pid: localPid(started.pid),
      start,
      boot: bootIdentity(),
      argv,
      ...(name === undefined ? {} : { name }),
      ...(job === undefined ? {} : { job }),
      ...(replica === undefined ? {} : { replica }),
      cwd,
      io,
      ...(stdout === 'pipe' ? { stdout } : {}),
      starter,
      startedAtMs,
      onDisconnect,
      keepBytes,
      ...(forget === true ? { forget } : {}),
      shim: this.ref,
      ...(started.size === undefined ? {} : { size: started.size }),
      shimProcess: this.#self,
    };
    return record;
  }

  readonly #events: ProcessEvents = {
    onExit: (process) => {
      this.#singletons.ended(process);
      this.#listener.exited(process);
    },
    onFinished: (process) => {
      const name = directoryName(process.record);
      if (!process.retryDisk()) {
        this.#owed.add(process);
        return;
      }
      this.#live.delete(name);
      if (this.#live.size === 0) for (const pool of [pipeSlabs, ptySlabs]) pool.trim();
      if (process.record.forget === true) this.#ended.forget(process.record);
      else if (process.end !== undefined) this.#ended.add(process.record, process.end, this.#isLive);
      this.#listener.changed();
    },
    onFilling: ({ record }) => {
      if (record.io === 'pty') this.#checkpointer.request(this.#ended.directoryOf(record));
    },
    onTerminalClosed: (fd) => this.#starter.forgetTerminal(fd),
  };

  #retryDisk(): void {
    for (const process of this.#owed) {
      if (!process.retryDisk()) continue;
      this.#owed.delete(process);
      this.#events.onFinished(process);
    }
  }

  /** With start and boot that very one; else the running one, else the newest. */
  #findLive(ref: ProcessRef): LiveProcess | undefined {
    let found: LiveProcess | undefined;
    for (const process of this.#live.values()) {
      if (!isMeant(process.record, ref)) continue;
      if (process.exit === undefined) return process;
      if (found === undefined || process.record.startedAtMs > found.record.startedAtMs) found = process;
    }
    return found;
  }

  #findEnded(ref: ProcessRef): EndedProcessOrNone {
    if (ref.start !== undefined && ref.boot !== undefined) {
      const name = directoryName({ pid: ref.pid, start: ref.start, boot: ref.boot });
      const elsewhere = this.#ended.get(name) === undefined ? this.#ended.runningElsewhere(name) : undefined;
      if (elsewhere !== undefined) throw runsElsewhere(elsewhere);
      return this.#ended.get(name);
    }
    return this.#ended
      .list(this.#isLive)
      .filter(({ record }) => isMeant(record, ref))
      .at(-1);
  }
}

type EndedProcessOrNone = ReturnType<EndedProcesses['get']>;

function isMeant(record: ProcessRecord, { pid, start, boot }: ProcessRef): boolean {
  return record.pid === pid && (start ?? record.start) === record.start && (boot ?? record.boot) === record.boot;
}

function runsElsewhere(record: ProcessRecord): NshError {
  return new NshError('notManaged', `process ${record.pid} runs under another shim (${record.shim.socket})`, {
    data: { socket: record.shim.socket },
  });
}
