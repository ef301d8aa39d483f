/** What this agent knows of managed processes: a copy of the shims' records, by PID and incarnation. Holds no resources. */
import type { ExitStatus, ManagedProcess, ProcessRef } from '../../src/protocol/process.ts';

export class ManagedTable {
  /** PID → its incarnations, oldest first. */
  readonly #byPid = new Map<number, ManagedProcess[]>();
  /** Those that have ended, in the order in which that was heard of. */
  readonly #ended = new Map<string, ManagedProcess>();
  readonly #keepEnded: number;

  /** @param keepEnded how many that have ended are known, the newest: shims keep as many. */
  constructor(keepEnded: number) {
    this.#keepEnded = keepEnded;
  }

  /** A process that has ended stays so: the answer to its start may be read after the news of its end. */
  put(record: ManagedProcess): void {
    const known = this.#byPid.get(record.pid) ?? [];
    const others = known.filter((other) => !isSame(other, record));
    const exit = record.exit ?? known.find((other) => isSame(other, record))?.exit;
    const merged = exit === undefined ? record : { ...record, exit };
    const all = [...others, merged].sort((a, b) => a.startedAtMs - b.startedAtMs);
    this.#byPid.set(record.pid, all);
    if (exit !== undefined) this.#bound(merged);
  }

  exited(process: ProcessRef, exit: ExitStatus): ManagedProcess | undefined {
    const record = this.find(process);
    if (record === undefined) return undefined;
    const ended = { ...record, exit, clients: 0 };
    this.put(ended);
    return ended;
  }

  /** Forgets every process that a shim served, before its list is read again. */
  dropShim(id: string): void {
    for (const [pid, records] of this.#byPid) {
      this.#setRecords(
        pid,
        records.filter((record) => record.shim.id !== id),
      );
    }
    for (const [key, record] of this.#ended) if (record.shim.id === id) this.#ended.delete(key);
  }

  /** The living incarnation, else the newest; with start or boot given, exactly that one. */
  find(ref: ProcessRef): ManagedProcess | undefined {
    const records = (this.#byPid.get(ref.pid) ?? []).filter(
      (record) =>
        (ref.start === undefined || record.start === ref.start) && (ref.boot === undefined || record.boot === ref.boot),
    );
    return records.find(isRunning) ?? records.at(-1);
  }

  /** The running managed process with this PID. */
  running(pid: number): ManagedProcess | undefined {
    return this.#byPid.get(pid)?.find(isRunning);
  }

  *all(): Generator<ManagedProcess, void, void> {
    for (const records of this.#byPid.values()) yield* records;
  }

  get runningCount(): number {
    let count = 0;
    for (const record of this.all()) if (isRunning(record)) count++;
    return count;
  }

  /** Forgets the one that ended first where there are too many. */
  #bound(ended: ManagedProcess): void {
    this.#ended.set(keyOf(ended), ended);
    if (this.#ended.size <= this.#keepEnded) return;
    for (const [key, oldest] of this.#ended) {
      this.#ended.delete(key);
      this.#setRecords(
        oldest.pid,
        (this.#byPid.get(oldest.pid) ?? []).filter((record) => !isSame(record, oldest)),
      );
      return;
    }
  }

  #setRecords(pid: number, records: ManagedProcess[]): void {
    if (records.length > 0) this.#byPid.set(pid, records);
    else this.#byPid.delete(pid);
  }
}

function keyOf({ pid, start, boot }: ManagedProcess): string {
  return `${pid} ${start} ${boot}`;
}

export function isRunning(record: ManagedProcess): boolean {
  return record.exit === undefined;
}

function isSame(a: ManagedProcess, b: ManagedProcess): boolean {
  return a.pid === b.pid && a.start === b.start && a.boot === b.boot;
}
