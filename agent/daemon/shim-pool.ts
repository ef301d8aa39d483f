/**
 * The shims of this node: found again by their sockets after a restart of the agent, started when there is something to
 * run or to serve. After an upgrade the shim of the new version takes new processes; the old one goes when it is empty.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodePaths } from '../../src/cluster/paths.ts';
import { programPath } from '../../src/cluster/programs.ts';
import { shimPid } from '../../src/cluster/shim-file.ts';
import { bootIdentity, readStart, runsSince } from '../../src/cluster/this-machine.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { programVersion } from '../../src/protocol/version.ts';
import type { ManagedProcess } from '../../src/protocol/process.ts';
import { keptRange, listSegments, streamNames } from '../shim/log-segments.ts';
import { readRecord } from '../shim/record-files.ts';
import { log } from './log.ts';
import { isRunning, ManagedTable } from './managed-table.ts';
import { ShimClient, type ShimEvents } from './shim-client.ts';

export interface ShimOptions {
  readonly paths: NodePaths;
  /** Ended processes to keep. */
  readonly keepEnded: number;
  /** Seconds to keep an ended process. */
  readonly keepAgeSeconds: number;
  /** Soft limit of open files for what it starts; undefined: the shim's own. */
  readonly openFiles: number | undefined;
}

const startDeadlineMs = 10_000;
/** An agent serves although a shim of the one before does not answer it; and asks that again so often. */
const adoptDeadlineMs = 2_000;
const adoptAgainMs = 1_000;
/** A shim that stands still must not make the whole node look so: `ps` has 5 s for its answer. */
const refreshDeadlineMs = 1_000;
const gonePollMs = 5;
/** From its hang-up to the end of a shim. */
const goneDeadlineMs = 1_000;
/** Also where none is kept, those who wait for a process hear how it ended. */
const minKnownEnded = 100;

export class ShimPool {
  readonly table: ManagedTable;
  readonly #options: ShimOptions;
  readonly #events: ShimEvents;
  readonly #onChange: () => void;
  readonly #shims = new Map<string, ShimClient>();
  #starting: Promise<ShimClient> | undefined;
  #isKilling = false;
  #isClosed = false;

  constructor(options: ShimOptions, onChange: () => void) {
    this.#options = options;
    this.#onChange = onChange;
    this.table = new ManagedTable(Math.max(options.keepEnded, minKnownEnded));
    this.#events = {
      onStarted: (process) => {
        this.table.put(process);
        onChange();
      },
      onExited: ({ process, exit }) => {
        this.table.exited(process, exit);
        onChange();
      },
    };
  }

  get shims(): readonly ShimClient[] {
    return [...this.#shims.values()];
  }

  /** Finds the shims that an earlier agent left running. */
  async adopt(): Promise<void> {
    const { paths } = this.#options;
    mkdirSync(paths.shims, { recursive: true, mode: 0o700 });
    mkdirSync(paths.processes, { recursive: true, mode: 0o700 });
    for (const id of readdirSync(paths.shims)) await this.#adoptOne(id);
  }

  /** Knows ended processes too from here on: where no shim runs, one is started to serve what is on record. */
  async needRecords(): Promise<void> {
    if (this.#shims.size === 0 && readdirSync(this.#options.paths.processes).length > 0) await this.current();
  }

  async #adoptOne(id: string): Promise<void> {
    const directory = join(this.#options.paths.shims, id);
    try {
      await this.#connect(this.#socketOf(id), adoptDeadlineMs);
    } catch (error) {
      const pid = shimPid(directory);
      if (pid === undefined) {
        this.#removeShim(id);
        return;
      }
      log('shim does not answer', { id, pid, error: String(error) });
      for (const process of runningUnder(id, this.#options.paths.processes)) this.table.put(process);
      void this.#adoptLater(id);
    }
  }

  /** Of one that stands still, or is slow: until it answers or has gone, its records tell what it runs. */
  async #adoptLater(id: string): Promise<void> {
    for (;;) {
      await delay(adoptAgainMs, undefined, { ref: false });
      if (this.#isKilling || this.#isClosed) return;
      try {
        await this.#connect(this.#socketOf(id));
        this.#onChange();
        return;
      } catch {
        if (shimPid(join(this.#options.paths.shims, id)) !== undefined) continue;
      }
      this.#removeShim(id);
      await this.#readAnew(id);
      return;
    }
  }

  #removeShim(id: string): void {
    rmSync(join(this.#options.paths.shims, id), { recursive: true, force: true });
    rmSync(this.#socketOf(id), { force: true });
  }

  /** The shim for new processes: the one of this program's version, started where there is none. */
  current(): Promise<ShimClient> {
    const running = this.shims.find((shim) => shim.version === programVersion);
    if (running !== undefined) return Promise.resolve(running);
    if (this.#isKilling) return Promise.reject(new NshError('agentFailed', 'the agent ends and starts nothing more'));
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Reads anew what changes without notice: clients, sizes, kept output. A shim that does not answer leaves its records as they are. */
  async refresh(): Promise<void> {
    const answers = await Promise.allSettled(this.shims.map((shim) => shim.call('running', {}, refreshDeadlineMs)));
    for (const answer of answers) {
      if (answer.status === 'fulfilled') for (const process of answer.value.processes) this.table.put(process);
    }
  }

  /** The shim with this id; undefined where it is gone. */
  byId(id: string): ShimClient | undefined {
    return this.#shims.get(id);
  }

  /** Ends every shim and what it runs, and waits until they are gone, 10 s at most, and as long for one that is just coming. */
  async kill(): Promise<void> {
    this.#isKilling = true;
    // One that is just coming is to go with the others.
    await this.#starting?.catch(() => undefined);
    const gone = this.shims.map(async (shim) => {
      const start = readStart(shim.pid) ?? 0;
      await shim.call('stop', { kill: true });
      await shim.closed;
      // It hangs up before it is gone.
      while (runsSince(shim.pid, start)) await delay(gonePollMs);
    });
    await Promise.race([
      Promise.allSettled(gone),
      new Promise((resolve) => setTimeout(resolve, startDeadlineMs).unref()),
    ]);
  }

  close(): void {
    this.#isClosed = true;
    for (const shim of this.#shims.values()) shim.close();
  }

  async #start(): Promise<ShimClient> {
    const { paths, keepEnded, keepAgeSeconds, openFiles } = this.#options;
    const id = randomBytes(4).toString('hex');
    const directory = join(paths.shims, id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const logFile = openSync(join(directory, 'shim.log'), 'a', 0o600);
    const socket = this.#socketOf(id);
    const words = ['--dir', directory, '--socket', socket, '--processes', paths.processes];
    const kept = ['--keep-ended', String(keepEnded), '--keep-age', String(keepAgeSeconds)];
    const limits = openFiles === undefined ? [] : ['--open-files', String(openFiles)];
    const child = spawn(process.execPath, [programPath('nsh-shim'), ...words, ...kept, ...limits], {
      argv0: 'nsh-shim',
      cwd: '/',
      detached: true,
      stdio: ['ignore', logFile, logFile, 'pipe'],
    });
    closeSync(logFile);
    child.unref();
    try {
      await untilReady(child.stdio[3] as NodeJS.ReadableStream, join(directory, 'shim.log'));
      return await this.#connect(socket);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async #connect(socket: string, deadlineMs?: number): Promise<ShimClient> {
    const shim = await ShimClient.open(socket, this.#events, deadlineMs);
    this.#shims.set(shim.id, shim);
    const { processes } = await shim.call('list', {});
    for (const process of processes) this.table.put(process);
    void shim.closed.then(() => this.#lost(shim));
    return shim;
  }

  /** A shim that went by itself was empty; one that was killed took its processes along: another one tells how they stand. */
  async #lost(shim: ShimClient): Promise<void> {
    if (!this.#shims.delete(shim.id)) return;
    const orphans = [...this.table.all()].filter((record) => record.shim.id === shim.id);
    log('shim has gone', { id: shim.id, records: orphans.length });
    void this.#removeSocket(shim);
    // One that has gone by itself was empty: its records are read again when somebody asks for them.
    if (this.#isKilling || orphans.length === 0) return;
    if (this.#shims.size === 0 && !orphans.some(isRunning)) return;
    await this.#readAnew(shim.id);
  }

  /** What a shim that has gone left behind, as another one tells it. */
  async #readAnew(id: string): Promise<void> {
    try {
      const { processes } = await (await this.current()).call('list', {});
      // Not before: until another one has told, what it ran is still known.
      this.table.dropShim(id);
      for (const process of processes) this.table.put(process);
      this.#onChange();
    } catch (error) {
      this.table.dropShim(id);
      log('records of a lost shim cannot be read', { id, error: String(error) });
    }
  }

  /** What a shim that was killed could not do itself. */
  async #removeSocket({ id, socket }: ShimClient): Promise<void> {
    const directory = join(this.#options.paths.shims, id);
    for (let waitedMs = 0; shimPid(directory) !== undefined; waitedMs += gonePollMs) {
      // Its connection broke, but it lives.
      if (waitedMs > goneDeadlineMs) return;
      await delay(gonePollMs);
    }
    rmSync(socket, { force: true });
  }

  #socketOf(id: string): string {
    return join(this.#options.paths.sockets, `shim-${id}.sock`);
  }
}

/** By their records alone: their shim does not answer. */
function runningUnder(id: string, processes: string): ManagedProcess[] {
  return readdirSync(processes).flatMap((name) => {
    const directory = join(processes, name);
    const record = readRecord(directory);
    const runs = record?.boot === bootIdentity() && runsSince(record.pid, record.start);
    if (record === undefined || record.shim.id !== id || !runs) return [];
    const { shimProcess: _, ...rest } = record;
    const [out, err] = streamNames(record).map((stream) => ({
      ...keptRange(listSegments(directory, stream)),
      closed: false,
    }));
    return [
      { ...rest, out: out ?? { base: 0, end: 0, closed: false }, ...(err === undefined ? {} : { err }), clients: 0 },
    ];
  });
}

/** The shim writes a line to descriptor 3 when it listens. @throws NshError `agentFailed` */
function untilReady(ready: NodeJS.ReadableStream, logPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new NshError('agentFailed', `the shim ${why}; its log is ${logPath}`));
    const timer = setTimeout(() => fail(`did not come up within ${startDeadlineMs} ms`), startDeadlineMs);
    ready.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
    ready.once('end', () => {
      clearTimeout(timer);
      fail('ended before it served');
    });
  });
}
