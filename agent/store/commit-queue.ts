/**
 * Changes on their way to the disk, in order. While one write is under way the next changes gather, and go together (group commit): many
 * writers share a flush. Lives as long as its database: where a write fails, so do all that wait, and nothing more is taken.
 */
import { TakenError, type Database } from './database.ts';
import type { Mutation } from './state.ts';

export interface CommitOptions {
  /** They are on the disk; before those who wait for them are told. */
  readonly onLasting: (mutations: readonly Mutation[]) => void;
  /** Once, and before those who wait are told. */
  readonly onFailure: (error: unknown) => void;
  /** What who waits is told of a failure. @param mayBeDone a change of theirs may be on the disk. */
  readonly explain: (error: unknown, mayBeDone: boolean) => Error;
}

interface Waiter {
  readonly sequence: number;
  readonly isWrite: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class CommitQueue {
  readonly #database: Database;
  readonly #options: CommitOptions;
  /** Changes so far; the first `#tried` were given to the database, the first `#lasting` are on the disk. */
  #sequence = 0;
  #tried = 0;
  #lasting = 0;
  #pending: Mutation[] = [];
  #waiters: Waiter[] = [];
  #committing: Promise<void> | undefined;

  constructor(database: Database, options: CommitOptions) {
    this.#database = database;
    this.#options = options;
  }

  add(mutation: Mutation): void {
    this.#sequence++;
    this.#pending.push(mutation);
    this.#committing ??= this.#commitAll();
  }

  /** Resolves when all that was added is on the disk; undefined where it is. @param isWrite the newest is of who waits. */
  lasts(isWrite: boolean): Promise<void> | undefined {
    if (this.#sequence === this.#lasting) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiters.push({ sequence: this.#sequence, isWrite, resolve, reject });
    });
  }

  /** Writes what is left. */
  async end(): Promise<void> {
    await this.#committing;
  }

  async #commitAll(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        // What comes in the same turn of the event loop goes along.
        await Promise.resolve();
        const mutations = this.#pending;
        this.#pending = [];
        this.#tried += mutations.length;
        await this.#database.write(mutations);
        this.#lasting += mutations.length;
        this.#options.onLasting(mutations);
        this.#settle();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#committing = undefined;
    }
  }

  #settle(): void {
    const open = this.#waiters.findIndex(({ sequence }) => sequence > this.#lasting);
    const done = open === -1 ? this.#waiters.splice(0) : this.#waiters.splice(0, open);
    for (const { resolve } of done) resolve();
  }

  #fail(error: unknown): void {
    this.#pending = [];
    this.#options.onFailure(error);
    // Who has the files is found out before anything is written.
    const tried = error instanceof TakenError ? 0 : this.#tried;
    for (const { sequence, isWrite, reject } of this.#waiters.splice(0))
      reject(this.#options.explain(error, isWrite && sequence <= tried));
  }
}
