/**
 * The history in memory. Entries have positions: those that were there when the session began count down from -1, what comes later
 * counts up from 0, so a position stays what it is while older ones are read and other sessions add theirs.
 */
import type { HistoryEntry, HistoryOutcome, HistoryRecord } from './record.ts';

export class Entries {
  /** [j] has position -1-j. */
  readonly #older: HistoryEntry[] = [];
  /** [i] has position i. */
  readonly #newer: HistoryEntry[] = [];
  readonly #positions = new Map<string, number>();
  /** Read before their entries: the file is read from its end. */
  readonly #outcomes = new Map<string, HistoryOutcome>();

  get count(): number {
    return this.#positions.size;
  }

  /** Positions are in [oldest, end). */
  get oldest(): number {
    return -this.#older.length;
  }

  get end(): number {
    return this.#newer.length;
  }

  at(position: number): HistoryEntry | undefined {
    return position < 0 ? this.#older[-1 - position] : this.#newer[position];
  }

  has(key: string): boolean {
    return this.#positions.has(key);
  }

  /** @param records in the order of the file. */
  addNewer(records: readonly HistoryRecord[]): void {
    for (const record of records) this.#add(record, 'newer');
  }

  addOlder(records: readonly HistoryRecord[]): void {
    for (const record of records.toReversed()) this.#add(record, 'older');
  }

  /** A file that took the place of the one read so far: what stands before anything known is older, the rest newer. */
  merge(records: readonly HistoryRecord[]): void {
    const known = records.findIndex((record) => record.kind === 'entry' && this.has(record.entry.key));
    const isFirst = this.count === 0;
    const border = known === -1 ? (isFirst ? records.length : 0) : known;
    this.addNewer(records.slice(border));
    this.addOlder(records.slice(0, border));
  }

  #add(record: HistoryRecord, side: 'older' | 'newer'): void {
    if (record.kind === 'outcome') return this.#finish(record.key, record.outcome);
    const { key } = record.entry;
    if (this.has(key)) return;
    const outcome = this.#outcomes.get(key);
    const entry = outcome === undefined ? record.entry : { ...record.entry, outcome };
    this.#outcomes.delete(key);
    if (side === 'older') this.#positions.set(key, -this.#older.push(entry));
    else this.#positions.set(key, this.#newer.push(entry) - 1);
  }

  #finish(key: string, outcome: HistoryOutcome): void {
    const position = this.#positions.get(key);
    const entry = position === undefined ? undefined : this.at(position);
    if (position === undefined || entry === undefined) {
      this.#outcomes.set(key, outcome);
      return;
    }
    const finished = { ...entry, outcome };
    if (position < 0) this.#older[-1 - position] = finished;
    else this.#newer[position] = finished;
  }
}
