/**
 * In which order stdout and stderr came. One entry for each run of one stream: the offset where that run ended, so that `logs` can
 * interleave the two as a terminal would have shown them. In the file `order`: lines `1 4096`, `2 80`: stream, offset; of several in
 * a row of one stream the last counts.
 */
import type { StreamNumber } from '../../src/protocol/frames.ts';

export interface OrderEntry {
  readonly stream: StreamNumber;
  /** Offset in that stream up to which this run goes. */
  end: number;
}

/** Alternating single bytes must not fill memory: beyond, the oldest half is forgotten, and shown stream by stream. */
const maxEntries = 32 * 1024;

export class OrderLog {
  #entries: OrderEntry[] = [];
  #forgotten = 0;
  /** Number of the entry that was the last one when `takeNew` was called last: it may have grown since. */
  #taken = 0;
  readonly #ends = new Map<StreamNumber, number>();

  /** A stream has grown to `end`. */
  add(stream: StreamNumber, end: number): void {
    if (end <= (this.#ends.get(stream) ?? 0)) return;
    this.#ends.set(stream, end);
    const last = this.#entries.at(-1);
    if (last?.stream === stream) {
      last.end = end;
      return;
    }
    this.#entries.push({ stream, end });
    if (this.#entries.length > maxEntries) this.#forget(maxEntries / 2);
  }

  /** Entries from the one with this number on; numbers count from the process's first entry. */
  get firstNumber(): number {
    return this.#forgotten;
  }

  at(number: number): OrderEntry | undefined {
    return this.#entries[number - this.#forgotten];
  }

  /** Lets go of runs that lie before what is kept of both streams. */
  trim(bases: Readonly<Record<number, number>>): void {
    const count = this.#entries.findIndex((entry) => entry.end > (bases[entry.stream] ?? 0));
    if (count > 1024) this.#forget(count);
  }

  /** Both streams were written to: there is something to interleave. */
  get hasTurns(): boolean {
    return this.#ends.size > 1;
  }

  /** What is to be added to the file since the last call, its last entry as far as it goes. */
  takeNew(): string {
    const from = Math.max(0, this.#taken - this.#forgotten);
    this.#taken = this.#forgotten + Math.max(0, this.#entries.length - 1);
    return toLines(this.#entries.slice(from));
  }

  /** The file's text; empty where one stream alone was written to: there is nothing to interleave. */
  toText(bases: Readonly<Record<number, number>>): string {
    const kept = this.#entries.filter((entry) => entry.end > (bases[entry.stream] ?? 0));
    if (kept.every((entry) => entry.stream === kept[0]?.stream)) return '';
    return toLines(kept);
  }

  #forget(count: number): void {
    this.#entries = this.#entries.slice(count);
    this.#forgotten += count;
  }
}

function toLines(entries: readonly OrderEntry[]): string {
  return entries.map(({ stream, end }) => `${stream} ${end}\n`).join('');
}

/** Reads the file; lines that make no sense are left out, since order is a convenience and bytes are not. */
export function parseOrder(text: string): OrderLog {
  const log = new OrderLog();
  for (const line of text.split('\n')) {
    const match = /^([12]) (\d{1,16})$/.exec(line);
    if (match !== null) log.add(match[1] === '1' ? 1 : 2, Number(match[2]));
  }
  return log;
}
