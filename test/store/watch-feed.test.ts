import { expect, it } from 'vitest';
import { WatchFeed } from '../../src/store/watch-feed.ts';
import type { WatchBatch } from '../../src/store/store.ts';

const batchOf = (revision: number, bytes = 1): WatchBatch => {
  const key = `k${revision}`;
  const at = BigInt(revision);
  const entry = { key, value: Buffer.alloc(bytes), createRevision: at, modRevision: at, version: 1n };
  return { revision: at, events: [{ type: 'put', key, entry }] };
};

/** A watch that tells what the test gives it. */
class Source {
  readonly #queue: (WatchBatch | Error)[] = [];
  #wake: () => void = () => undefined;
  isEnded = false;

  give(...items: (WatchBatch | Error)[]): void {
    this.#queue.push(...items);
    this.#wake();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<WatchBatch> {
    signal.addEventListener('abort', () => this.#wake());
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next instanceof Error) throw next;
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
    this.isEnded = true;
  }
}

const patient = { idleMs: 5_000, maxBytes: 1_000, signal: new AbortController().signal };
const numbers = (batches: readonly WatchBatch[]): number[] => batches.map(({ revision }) => Number(revision));

it('gives all that has come, in helpings of about the size that is asked for', async () => {
  const source = new Source();
  const feed = new WatchFeed((signal) => source.watch(signal));
  source.give(batchOf(1), batchOf(2), batchOf(3, 2_000), batchOf(4));
  expect(numbers(await feed.take(patient))).toEqual([1, 2, 3]);
  expect(numbers(await feed.take(patient))).toEqual([4]);
  const later = feed.take(patient);
  source.give(batchOf(5));
  expect(numbers(await later)).toEqual([5]);
  feed.close();
});

it('gives nothing after the idle time, and loses nothing by it, nor by a taker who leaves', async () => {
  const source = new Source();
  const feed = new WatchFeed((signal) => source.watch(signal));
  expect(await feed.take({ ...patient, idleMs: 10 })).toEqual([]);
  const controller = new AbortController();
  const left = feed.take({ ...patient, signal: controller.signal });
  controller.abort();
  await expect(left).rejects.toMatchObject({ code: 'cancelled' });
  source.give(batchOf(1), batchOf(2));
  expect(numbers(await feed.take(patient))).toEqual([1, 2]);
  feed.close();
});

it('gives what came before an error, then the error, then says that it is over', async () => {
  const source = new Source();
  const feed = new WatchFeed((signal) => source.watch(signal));
  source.give(batchOf(1), new Error('compacted'));
  expect(numbers(await feed.take(patient))).toEqual([1]);
  await expect(feed.take(patient)).rejects.toThrow('compacted');
});

it('ends the watch when it is closed, and whoever waits', async () => {
  const source = new Source();
  const feed = new WatchFeed((signal) => source.watch(signal));
  const waiting = feed.take(patient);
  feed.close();
  await expect(waiting).rejects.toMatchObject({ code: 'storeUnavailable' });
  expect(source.isEnded).toBe(true);
});
