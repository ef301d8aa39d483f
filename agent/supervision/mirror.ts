/**
 * A part of the store as it is there, kept up to date: listed, then watched from the next revision on; listed again where the store has
 * forgotten what came between.
 */
import { untilAnswered } from '../../src/coordination/patience.ts';
import { isCompacted } from '../../src/store/errors.ts';
import type { Entry, Store, WatchEvent } from '../../src/store/store.ts';

export interface MirrorEvents {
  /** All is as in the store at `revision`. */
  readonly onListed?: () => void;
  /** What one transaction has changed. */
  readonly onChanged?: (events: readonly WatchEvent[]) => void;
}

export class Mirror {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #events: MirrorEvents;
  #entries = new Map<string, Entry>();
  #revision = 0n;
  #waiting: { readonly revision: bigint; readonly resolve: () => void }[] = [];

  constructor(store: Store, prefix: string, events: MirrorEvents) {
    this.#store = store;
    this.#prefix = prefix;
    this.#events = events;
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  /** It knows at least what was done below its prefix until then. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Goes on until the signal fires, without an error then. While the store cannot be reached it waits. @throws NshError `storeClosed` */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#listAndWatch(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isCompacted(error)) throw error;
      }
    }
  }

  /** Resolves when the mirror has what was written below its prefix at `revision`, or the signal fires. */
  async reach(revision: bigint, signal: AbortSignal): Promise<void> {
    if (this.#revision >= revision || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.push({ revision, resolve: done });
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    const listed = await untilAnswered(signal, () => this.#store.list(this.#prefix, { signal }));
    this.#entries = new Map(listed.entries.map((entry) => [entry.key, entry]));
    this.#reached(listed.revision);
    this.#events.onListed?.();
    for await (const { revision, events } of this.#store.watch(this.#prefix, listed.revision + 1n, { signal })) {
      for (const event of events) {
        if (event.type === 'put') this.#entries.set(event.key, event.entry);
        else this.#entries.delete(event.key);
      }
      this.#reached(revision);
      this.#events.onChanged?.(events);
    }
  }

  #reached(revision: bigint): void {
    this.#revision = revision;
    const due = this.#waiting.filter((waiter) => waiter.revision <= revision);
    this.#waiting = this.#waiting.filter((waiter) => waiter.revision > revision);
    for (const { resolve } of due) resolve();
  }
}
