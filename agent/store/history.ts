/**
 * The latest changes, one batch a revision without a gap: what watches are told from, and what takes the store back to an earlier
 * revision. Bounded: the oldest go, and everything up to them is compacted then.
 */
import { storeCompacted } from '../../src/store/errors.ts';
import type { Entry, WatchBatch, WatchEvent } from '../../src/store/store.ts';

export interface HistoryLimits {
  readonly maxRevisions: number;
  /** Of keys and values, those that were there before included. */
  readonly maxBytes: number;
}

export class History {
  readonly #limits: HistoryLimits;
  /** The revision of the first batch is `#compacted + 1`. */
  #batches: WatchBatch[] = [];
  #compacted: bigint;
  #bytes = 0;

  /** @param compacted the revision before the first that will be added. */
  constructor(limits: HistoryLimits, compacted: bigint) {
    this.#limits = limits;
    this.#compacted = compacted;
  }

  /** What lies at or before it can be told no more. */
  get compacted(): bigint {
    return this.#compacted;
  }

  get newest(): bigint {
    return this.#compacted + BigInt(this.#batches.length);
  }

  add(batch: WatchBatch): void {
    if (batch.revision !== this.newest + 1n) throw new Error(`revision ${batch.revision} follows ${this.newest}`);
    this.#batches.push(batch);
    this.#bytes += sizeOf(batch);
  }

  /** The revision up to which must be compacted to keep the limits; undefined where nothing must go. */
  excess(): bigint | undefined {
    const { maxRevisions, maxBytes } = this.#limits;
    // An eighth at once: what is not done at every revision costs nothing.
    const length = this.#batches.length;
    let count = length > maxRevisions ? length - Math.ceil((maxRevisions * 7) / 8) : 0;
    let bytes = this.#bytes;
    for (let i = 0; i < count; i++) bytes -= sizeAt(this.#batches, i);
    // The newest stays, however large it is: somebody may just wait for it.
    for (; bytes > maxBytes && count < length - 1; count++) bytes -= sizeAt(this.#batches, count);
    return count === 0 ? undefined : this.#compacted + BigInt(count);
  }

  compact(revision: bigint): void {
    const gone = this.#batches.slice(0, Number(revision - this.#compacted));
    for (const batch of gone) this.#bytes -= sizeOf(batch);
    this.#batches = this.#batches.slice(gone.length);
    this.#compacted = revision;
  }

  /** Undefined where that revision is still to come. @throws NshError `storeCompacted` */
  at(revision: bigint): WatchBatch | undefined {
    if (revision <= this.#compacted) throw storeCompacted(this.#compacted);
    return this.#batches[Number(revision - this.#compacted) - 1];
  }

  /** Each key below `prefix` that changed after `revision`, with what it was then. @throws NshError `storeCompacted` */
  undo(revision: bigint, prefix: string): Map<string, Entry | undefined> {
    if (revision < this.#compacted) throw storeCompacted(this.#compacted);
    const before = new Map<string, Entry | undefined>();
    for (let i = this.#batches.length - 1; i >= Number(revision - this.#compacted); i--) {
      for (const { key, previous } of this.#batches[i]?.events ?? [])
        if (key.startsWith(prefix)) before.set(key, previous);
    }
    return before;
  }
}

function sizeAt(batches: readonly WatchBatch[], index: number): number {
  const batch = batches[index];
  return batch === undefined ? 0 : sizeOf(batch);
}

function sizeOf({ events }: WatchBatch): number {
  return events.reduce((sum, event) => sum + eventSize(event), 0);
}

/** What an entry costs beside key and value, about. */
const overhead = 64;

function eventSize(event: WatchEvent): number {
  const entry = event.type === 'put' ? event.entry.value.length : 0;
  return overhead + event.key.length + entry + (event.previous?.value.length ?? 0);
}
