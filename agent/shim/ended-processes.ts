/**
 * Every ended process of the node, read from disk once and kept as a small record each: this shim's and those of shims that are gone.
 * A directory without exit.json belongs to a process that runs under another shim, or that was lost with its shim.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootIdentity, runsSince } from '../../src/cluster/this-machine.ts';
import { selectExpired, type RetentionLimits } from '../../src/policy/retention.ts';
import { EndedProcess } from './ended-process.ts';
import { keptRange, listSegments, streamNames } from './log-segments.ts';
import { log } from './shim-log.ts';
import {
  directoryName,
  lastChangeMs,
  readEnd,
  readRecord,
  removeDirectory,
  writeEnd,
  type ProcessEnd,
  type ProcessRecord,
} from './record-files.ts';

/** Sweeping costs a pass over all records: not at each exit, but when so many have ended since. */
const sweepEvery = 100;
/** A directory without a readable record may be one that is being made. */
const unreadableGraceMs = 60_000;
/** What directoryName makes; anything else in there is not ours. */
const ourName = /^\d+-\d+-[0-9a-f]{8}$/;

interface Packed {
  readonly endedAtMs: number;
  readonly text: string;
}

export class EndedProcesses {
  readonly #root: string;
  readonly #limits: RetentionLimits;
  readonly #byName = new Map<string, Packed>();
  #endedSinceSweep = 0;

  constructor(root: string, limits: RetentionLimits) {
    this.#root = root;
    this.#limits = limits;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  directoryOf(process: { readonly pid: number; readonly start: number; readonly boot: string }): string {
    return join(this.#root, directoryName(process));
  }

  /** All, oldest first; reads directories that have come since, of whichever shim. @param isLive those that run here. */
  list(isLive: (name: string) => boolean): EndedProcess[] {
    this.#refresh(isLive);
    const all = [...this.#byName].map(([name, packed]) => this.#unpack(name, packed));
    return all.sort((a, b) => a.record.startedAtMs - b.record.startedAtMs);
  }

  /** The record of a process that runs under another shim, which must be asked for it; undefined where there is none. */
  runningElsewhere(name: string): ProcessRecord | undefined {
    return this.#byName.has(name) ? undefined : readRecord(join(this.#root, name));
  }

  get(name: string): EndedProcess | undefined {
    const packed = this.#byName.get(name);
    return packed === undefined ? this.#load(name) : this.#unpack(name, packed);
  }

  /** One of this shim's has ended, and its files are complete. */
  add(record: ProcessRecord, end: ProcessEnd, isLive: (name: string) => boolean): void {
    this.#keep(directoryName(record), record, end);
    this.#endedSinceSweep++;
    if (this.#endedSinceSweep >= Math.min(sweepEvery, Math.max(1, this.#limits.maxEnded))) this.sweep(isLive);
  }

  /** One of this shim's has ended and was to leave no record. */
  forget(record: ProcessRecord): void {
    this.#remove(directoryName(record));
  }

  /** Forgets what is too old or too much. */
  sweep(isLive: (name: string) => boolean): void {
    this.#endedSinceSweep = 0;
    const now = Date.now();
    this.#refresh(isLive);
    const entries = [...this.#byName].map(([key, { endedAtMs }]) => ({ key, endedAtMs }));
    for (const key of selectExpired(entries, now, this.#limits)) {
      this.#byName.delete(key);
      this.#remove(key);
    }
  }

  #refresh(isLive: (name: string) => boolean): void {
    const names = new Set(readdirSync(this.#root));
    for (const name of this.#byName.keys()) if (!names.has(name)) this.#byName.delete(name);
    for (const name of names) if (!this.#byName.has(name) && !isLive(name)) this.#load(name);
  }

  #remove(name: string): void {
    try {
      removeDirectory(join(this.#root, name));
    } catch (error) {
      log('a record cannot be removed', { name, error: String(error) });
    }
  }

  #load(name: string): EndedProcess | undefined {
    if (!ourName.test(name)) return undefined;
    const directory = join(this.#root, name);
    const record = readRecord(directory);
    if (record === undefined || directoryName(record) !== name) {
      const changed = lastChangeMs(directory);
      if (changed > 0 && Date.now() - changed > unreadableGraceMs) this.#remove(name);
      return undefined;
    }
    const end = readEnd(directory) ?? this.#lost(directory, record);
    if (end === undefined) return undefined;
    if (record.forget === true) {
      this.#remove(name); // Its shim was killed before it could.
      return undefined;
    }
    this.#keep(name, record, end);
    return new EndedProcess(directory, record, end);
  }

  /** As text: a thousand records as objects would weigh on every fork. */
  #keep(name: string, record: ProcessRecord, end: ProcessEnd): void {
    this.#byName.set(name, { endedAtMs: end.exit.atMs, text: JSON.stringify([record, end]) });
  }

  #unpack(name: string, { text }: Packed): EndedProcess {
    const [record, end] = JSON.parse(text) as [ProcessRecord, ProcessEnd];
    return new EndedProcess(join(this.#root, name), record, end);
  }

  /** Undefined where its shim lives: it runs. */
  #lost(directory: string, record: ProcessRecord): ProcessEnd | undefined {
    const isThisBoot = record.boot === bootIdentity();
    const { pid, start } = record.shimProcess;
    if (isThisBoot && runsSince(pid, start)) return undefined;
    const lost = isThisBoot ? `its shim (PID ${pid}) was killed` : 'the machine went down while it ran';
    const [out, err] = streamNames(record).map((name) => ({
      ...keptRange(listSegments(directory, name)),
      closed: true,
    }));
    const end: ProcessEnd = {
      exit: { code: null, signal: null, atMs: lastChangeMs(directory), lost },
      out: out ?? { base: 0, end: 0, closed: true },
      ...(err === undefined ? {} : { err }),
      ...(record.size === undefined ? {} : { size: record.size }),
    };
    try {
      writeEnd(directory, end);
    } catch (error) {
      log('the end of a lost process cannot be written', { directory, error: String(error) });
    }
    return end;
  }
}
