/**
 * What happened to the replicas of this node, for people: a short list in the store for each group. It is told as well as it can be: what could
 * not be written within a while is dropped, and so is what is told of a group that is gone.
 */
import { eventsKey, wantedKey } from '../../src/policy/supervision/store-keys.ts';
import { readEvents, writeEvents } from '../../src/policy/supervision/stored.ts';
import { addEvents, keptEvents, type GroupEvent } from '../../src/policy/supervision/wanted.ts';
import type { Compare, Store } from '../../src/store/store.ts';
import { log } from '../daemon/log.ts';

/** Events that come within so long are written together: each time the whole list is. ms */
const gatherMs = 300;

export class EventLog {
  readonly #node: number;
  readonly #pending = new Map<string, GroupEvent[]>();
  #store: Store | undefined;
  /** Each list is read and written again: one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(node: number) {
    this.#node = node;
  }

  /** Where they are written from now on; undefined: nowhere, they are kept. */
  use(store: Store | undefined): void {
    this.#store = store;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writeSoon();
  }

  add(group: string, event: GroupEvent): void {
    this.#pending.set(group, addEvents(this.#pending.get(group) ?? [], event));
    this.#writeSoon();
  }

  #writeSoon(): void {
    // What is on its way is not put off by what comes meanwhile.
    if (this.#timer !== undefined || this.#store === undefined || this.#pending.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    }, gatherMs);
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    const all = [...this.#pending];
    this.#pending.clear();
    for (const [group, events] of all) {
      try {
        await this.#append(store, group, events);
      } catch (error) {
        log('groups: events were not written', { group, count: events.length, message: String(error) });
      }
    }
  }

  async #append(store: Store, group: string, events: readonly GroupEvent[]): Promise<void> {
    const key = eventsKey(group, this.#node);
    const { entry } = await store.get(key);
    const before = entry === undefined ? [] : readKnown(Buffer.from(entry.value).toString('utf8'), group);
    const compares: Compare[] = [{ key: wantedKey(group), on: 'create', is: '!=', to: 0n }];
    const value = Buffer.from(writeEvents(addEvents(before, ...events.slice(-keptEvents))));
    await store.txn(compares, [{ op: 'put', key, value }]);
  }
}

function readKnown(text: string, group: string): GroupEvent[] {
  try {
    return readEvents(text, group);
  } catch {
    // Another version wrote them: they begin anew.
    return [];
  }
}
