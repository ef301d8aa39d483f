/** What this agent knows of managed processes: a copy of the shims' records, by PID and incarnation. Holds no resources. */
import type { ExitStatus, ManagedProcess, ProcessRef } from '../../src/protocol/process.ts';

export class ManagedTable {
  /** PID → its incarnations, oldest first. */
  readonly #byPid = new Map<number, ManagedProcess[]>();

  /** A process that has ended stays so: the answer to its start may be read after the news of its end. */
  put(record: ManagedProcess): void {
    const known = this.#byPid.get(record.pid) ?? [];
    const others = known.filter((other) => !isSame(other, record));
    const exit = record.exit ?? known.find((other) => isSame(other, record))?.exit;
    const merged = exit === undefined ? record : { ...record, exit };
    const all = [...others, merged].sort((a, b) => a.startedAtMs - b.startedAtMs);
    this.#byPid.set(record.pid, all);
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
      const left = records.filter((record) => record.shim.id !== id);
      if (left.length > 0) this.#byPid.set(pid, left);
      else this.#byPid.delete(pid);
    }
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
}

export function isRunning(record: ManagedProcess): boolean {
  return record.exit === undefined;
}

function isSame(a: ManagedProcess, b: ManagedProcess): boolean {
  return a.pid === b.pid && a.start === b.start && a.boot === b.boot;
}
