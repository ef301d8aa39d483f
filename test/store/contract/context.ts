/** What the tests of the store contract share. */
import type { Compare, Entry, Op, Store, WatchBatch } from '../../../src/store/store.ts';

export interface StoreFixture {
  /** One more client of the same store; whoever opened it closes it. */
  open(): Promise<Store>;
  /** Ends the store itself and leaves nothing behind. */
  close(): Promise<void>;
}

export interface ContractContext {
  /** Opened for this test. */
  readonly store: Store;
  /** All that were opened for this test; closed after it. */
  readonly stores: Store[];
  /** Of all keys of this test. */
  prefix: string;
  /** One more client of the same store. */
  another(): Promise<Store>;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const textOf = (entry: Entry | undefined): string | undefined =>
  entry === undefined ? undefined : Buffer.from(entry.value).toString();

export const put = (key: string, text: string): Op => ({ op: 'put', key, value: bytes(text) });
export const isAbsent = (key: string): Compare => ({ key, on: 'create', to: 0n });

/** Writes one key. @returns the revision */
export async function write(store: Store, key: string, text: string): Promise<bigint> {
  return (await store.txn([], [put(key, text)])).revision;
}

export async function read(store: Store, key: string): Promise<string | undefined> {
  return textOf((await store.get(key)).entry);
}

/** `+key=value` and `-key` for each event of a batch. */
export function describeBatch({ events }: WatchBatch): string[] {
  return events.map((event) => (event.type === 'put' ? `+${event.key}=${textOf(event.entry)}` : `-${event.key}`));
}

/** Batches of a watch as they come. The iteration ends with `stop`. */
export class WatchReader {
  readonly batches: WatchBatch[] = [];
  readonly ended: Promise<unknown>;
  readonly #controller = new AbortController();
  #wake: () => void = () => undefined;

  constructor(store: Store, prefix: string, fromRevision: bigint) {
    this.ended = this.#read(store.watch(prefix, fromRevision, { signal: this.#controller.signal }));
  }

  /** Resolves with all events so far once there are `count`. @throws what the watch ended with. */
  async events(count: number): Promise<string[]> {
    const all = (): string[] => this.batches.flatMap((batch) => describeBatch(batch));
    let end: { readonly error: unknown } | undefined;
    void this.ended.then((error) => {
      end = { error };
      this.#wake();
    });
    while (all().length < count) {
      if (end !== undefined) throw end.error ?? new Error(`the watch is over after ${all().join(' ')}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return all();
  }

  /** @returns the error that it ended with, where there was one. */
  async stop(): Promise<unknown> {
    this.#controller.abort();
    return await this.ended;
  }

  async #read(watch: AsyncIterable<WatchBatch>): Promise<unknown> {
    try {
      for await (const batch of watch) {
        this.batches.push(batch);
        this.#wake();
      }
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
