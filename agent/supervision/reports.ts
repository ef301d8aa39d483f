/**
 * The reports of this node on their way to the store: of each group the newest alone, as soon as the store takes it. One that arrives late
 * must not replace a newer one, so each is written over the revision that was written before.
 */
import { pauseAfter } from '../../src/coordination/patience.ts';
import type { GroupReport } from '../../src/policy/supervision/order.ts';
import { reportKey, reportPrefix } from '../../src/policy/supervision/store-keys.ts';
import { writeReport } from '../../src/policy/supervision/stored.ts';
import { isUnavailable, isUnknown } from '../../src/store/errors.ts';
import type { Compare, Op, Store } from '../../src/store/store.ts';

/** In one transaction; each takes one operation and one comparison. */
const maxBatch = 50;
/** Of the 1.5 MiB that a transaction may have. */
const maxBytes = 1_000_000;

export class Reports {
  readonly #node: number;
  /** Group → what is to be told; null: nothing any more. */
  readonly #pending = new Map<string, GroupReport | null>();
  /** As it is in the store; 0: not there. */
  readonly #revisions = new Map<string, bigint>();
  #wake: (() => void) | undefined;

  constructor(node: number) {
    this.#node = node;
  }

  put(report: GroupReport): void {
    this.#pending.set(report.group, report);
    this.#wake?.();
  }

  /** The group is no longer this node's. */
  remove(group: string): void {
    this.#pending.set(group, null);
    this.#wake?.();
  }

  /** Writes until the signal fires. @param keep groups of which a report of a former agent stays; others are removed. */
  async send(store: Store, keep: (group: string) => boolean, signal: AbortSignal): Promise<void> {
    let isRead = false;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (!isRead) await this.#read(store, keep, signal);
        isRead = true;
        if (this.#pending.size === 0) await this.#untilPending(signal);
        else await this.#write(store, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (!isUnavailable(error) && !isUnknown(error)) throw error;
        isRead = false;
        await pauseAfter(++failures, signal);
      }
    }
  }

  async #read(store: Store, keep: (group: string) => boolean, signal: AbortSignal): Promise<void> {
    const prefix = reportPrefix(this.#node);
    const { entries } = await store.list(prefix, { keysOnly: true, signal });
    this.#revisions.clear();
    for (const { key, modRevision } of entries) {
      const group = key.slice(prefix.length);
      this.#revisions.set(group, modRevision);
      if (!this.#pending.has(group) && !keep(group)) this.#pending.set(group, null);
    }
  }

  async #write(store: Store, signal: AbortSignal): Promise<void> {
    const batch = this.#batch();
    const compares = batch.map(({ group }): Compare => {
      return { key: reportKey(this.#node, group), on: 'mod', to: this.#revisions.get(group) ?? 0n };
    });
    const ops = batch.map(({ group, value }): Op => {
      const key = reportKey(this.#node, group);
      return value === null ? { op: 'delete', key } : { op: 'put', key, value };
    });
    const { succeeded, revision } = await store.txn(compares, ops, [], { signal });
    if (!succeeded) {
      await this.#read(store, () => true, signal);
      return;
    }
    for (const { group, report } of batch) {
      if (report === null) this.#revisions.delete(group);
      else this.#revisions.set(group, revision);
      if (this.#pending.get(group) === report) this.#pending.delete(group);
    }
  }

  /** Those that fit into one transaction. */
  #batch(): { readonly group: string; readonly report: GroupReport | null; readonly value: Buffer | null }[] {
    const batch = [];
    let bytes = 0;
    for (const [group, report] of this.#pending) {
      const value = report === null ? null : Buffer.from(writeReport(report));
      bytes += value?.length ?? 0;
      if (batch.length === maxBatch || (batch.length > 0 && bytes > maxBytes)) break;
      batch.push({ group, report, value });
    }
    return batch;
  }

  async #untilPending(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
    this.#wake = undefined;
  }
}
