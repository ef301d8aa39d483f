/** A watch that is read in helpings: whoever asks gets all that has come since, or waits for it. A helping that is not taken stays. */
import { NshError } from '../protocol/errors.ts';
import { storeUnavailable } from './errors.ts';
import type { WatchBatch } from './store.ts';

export interface Helping {
  /** ms until an empty one is given. */
  readonly idleMs: number;
  /** Of keys and values, about; one batch is always given whole. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

type Step = IteratorResult<WatchBatch, unknown>;

export class WatchFeed {
  readonly #controller = new AbortController();
  readonly #batches: AsyncIterator<WatchBatch>;
  /** Asked for, and not given to anybody yet. */
  #coming: Promise<Step> | undefined;

  /** @param watch ends when its signal fires. */
  constructor(watch: (signal: AbortSignal) => AsyncIterable<WatchBatch>) {
    this.#batches = watch(this.#controller.signal)[Symbol.asyncIterator]();
  }

  /** @throws what the watch throws; `storeUnavailable` where it is over; `cancelled` where the signal fires: nothing is lost then. */
  async take({ idleMs, maxBytes, signal }: Helping): Promise<WatchBatch[]> {
    const first = await this.#within(idleMs, signal);
    if (first === undefined) return [];
    const batches: WatchBatch[] = [];
    let bytes = 0;
    for (let step: Step | undefined = first; step !== undefined; step = await this.#ready()) {
      this.#coming = undefined;
      if (step.done === true) {
        if (batches.length === 0) throw storeUnavailable('the watch is over');
        return batches;
      }
      batches.push(step.value);
      bytes += sizeOf(step.value);
      if (bytes >= maxBytes) break;
    }
    return batches;
  }

  close(): void {
    this.#controller.abort();
  }

  #next(): Promise<Step> {
    if (this.#coming === undefined) {
      this.#coming = this.#batches.next();
      // Whoever takes next hears of it.
      this.#coming.catch(() => undefined);
    }
    return this.#coming;
  }

  #within(ms: number, signal: AbortSignal): Promise<Step | undefined> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(new NshError('cancelled', 'nobody waits for the watch any more'));
      const timer = setTimeout(() => resolve(undefined), ms);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      this.#next()
        .finally(() => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
        })
        .then(resolve, reject);
    });
  }

  /** What comes without waiting; an error is left for the next helping. */
  #ready(): Promise<Step | undefined> {
    return new Promise((resolve) => {
      setImmediate(resolve, undefined);
      this.#next().then(resolve, () => resolve(undefined));
    });
  }
}

function sizeOf({ events }: WatchBatch): number {
  return events.reduce(
    (sum, event) =>
      sum +
      event.key.length +
      (event.type === 'put' ? event.entry.value.length : 0) +
      (event.previous?.value.length ?? 0),
    0,
  );
}
