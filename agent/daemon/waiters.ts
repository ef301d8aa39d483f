/** Those who wait for the end of a managed process. */
import type { ExitStatus, ManagedProcess } from '../../src/protocol/process.ts';
import type { ManagedTable } from './managed-table.ts';

interface Waiter {
  readonly process: ManagedProcess;
  readonly resolve: (exit: ExitStatus) => void;
}

export class Waiters {
  readonly #table: ManagedTable;
  readonly #waiters = new Set<Waiter>();

  constructor(table: ManagedTable) {
    this.#table = table;
  }

  wait(process: ManagedProcess, signal: AbortSignal): Promise<ExitStatus> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { process, resolve };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', () => {
        this.#waiters.delete(waiter);
        reject(signal.reason as Error);
      });
    });
  }

  /** The table has changed: answers those whose process has ended. */
  check(): void {
    for (const waiter of this.#waiters) {
      const exit = this.#table.find(waiter.process)?.exit;
      if (exit === undefined) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(exit);
    }
  }
}
