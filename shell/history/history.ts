/**
 * The history of all sessions of a user: a file that every session appends to at once and reads the grown tail of. It is read from its
 * end in blocks, as far as somebody walks or searches. A file that cannot be read or written costs the history, never the line: it is
 * told once through `onProblem`, and the session goes on with what it has in memory.
 */
import { closeSync, fstatSync, statSync, type Stats } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Entries } from './entries.ts';
import { appendRecord, endOfLines, isSameFile, openForReading, readBetween } from './history-file.ts';
import {
  decodeLines,
  encodeEntry,
  encodeOutcome,
  entryKey,
  isKept,
  type HistoryEntry,
  type HistoryOutcome,
} from './record.ts';
import { hasLeftover, trimHistory } from './trim.ts';

export interface HistoryOptions {
  readonly path: string;
  /** Differs between sessions, for ever. */
  readonly session: string;
  /** Entries kept in the file; default 10,000. 0: nothing is read or written, only this session's memory. */
  readonly maxEntries?: number;
  readonly onProblem?: (message: string) => void;
}

export const defaultMaxEntries = 10_000;
/** The file is rewritten when it has grown by so much above the bound: seldom, and never for each line. */
const slack = 1.2;
/** So many lines pass until this session looks whether the file has outgrown its bound. */
const linesBetweenTrims = 200;
const firstBlockBytes = 65_536;
const blockBytes = 262_144;

export interface AcceptedLine {
  readonly line: string;
  readonly node: string;
  readonly cwd: string;
  readonly atMs: number;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #entries = new Entries();
  #file: Pick<Stats, 'ino' | 'dev'> | undefined;
  /** Of the file, [begin, end) has been read. */
  #begin = 0;
  #end = 0;
  #count = 0;
  #sinceTrim = 0;
  #told = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Keeps a line, on disk before this returns. @returns the key for `finish`; undefined where such lines are not kept. */
  add(accepted: AcceptedLine): string | undefined {
    if (!isKept(accepted.line)) return undefined;
    this.refresh();
    const key = entryKey(this.#options.session, this.#count++);
    const entry = { ...accepted, key, session: this.#options.session };
    this.#entries.addNewer([{ kind: 'entry', entry }]);
    this.#append(encodeEntry(entry));
    this.#sinceTrim++;
    return key;
  }

  /** How a line that was kept has ended. */
  finish(key: string, outcome: HistoryOutcome): void {
    this.#entries.addNewer([{ kind: 'outcome', key, outcome }]);
    this.#append(encodeOutcome(key, outcome));
  }

  /** The position behind the newest entry: where a walk begins. */
  get end(): number {
    return this.#entries.end;
  }

  /** The position of the oldest entry that has been read; of all once `load` is through. Equal to `end` where there is none. */
  get oldest(): number {
    return this.#entries.oldest;
  }

  /** The entry at a position; reads more of the file where it must. Undefined before the oldest and behind the newest. */
  at(position: number): HistoryEntry | undefined {
    while (position < this.#entries.oldest && this.#readOlder(blockBytes)) {
      // Until it has been read, or there is no more.
    }
    return this.#entries.at(position);
  }

  /** Takes in what other sessions have added: one look at the file's size where there is nothing. */
  refresh(): void {
    if (this.#maxEntries === 0) return;
    this.#guard(() => {
      const now = statSync(this.#options.path, { throwIfNoEntry: false });
      if (now === undefined) {
        [this.#file, this.#begin, this.#end] = [undefined, 0, 0];
      } else if (this.#file === undefined || !isSameFile(this.#file, now) || now.size < this.#end) {
        this.#readFirst();
      } else if (now.size > this.#end) {
        this.#readNewer();
      }
    });
  }

  /** Reads all of it, in slices that leave time for keys in between. */
  async load(signal?: AbortSignal): Promise<void> {
    this.refresh();
    while (this.#readOlder(blockBytes)) {
      if (signal?.aborted === true) return;
      await nextTurn();
    }
  }

  /** Where the file has outgrown its bound it is rewritten; for an idle moment: at the start, and after lines. */
  async trim(): Promise<void> {
    if (this.#maxEntries === 0) return;
    if (this.#sinceTrim > 0 && this.#sinceTrim < linesBetweenTrims) return;
    this.#sinceTrim = 0;
    await this.load();
    if (this.#entries.count <= this.#maxEntries * slack && !hasLeftover(this.#options.path)) return;
    try {
      await trimHistory(this.#options.path, this.#maxEntries);
    } catch (error) {
      this.#tell('is not shortened', error);
    }
  }

  get #maxEntries(): number {
    return this.#options.maxEntries ?? defaultMaxEntries;
  }

  #append(record: string): void {
    if (this.#maxEntries > 0) this.#guard(() => appendRecord(this.#options.path, record));
  }

  /** A file that was not read before, or took the place of the one that was. */
  #readFirst(): void {
    const isFirst = this.#file === undefined && this.#entries.count === 0;
    this.#withFile((file) => {
      const { ino, dev, size } = fstatSync(file);
      this.#file = { ino, dev };
      if (isFirst) {
        [this.#begin, this.#end] = [size, size];
        this.#readOlderFrom(file, firstBlockBytes);
        return;
      }
      const bytes = readBetween(file, 0, size);
      [this.#begin, this.#end] = [0, endOfLines(bytes)];
      this.#entries.merge(decodeLines(bytes.toString('utf8', 0, this.#end)));
    });
  }

  #readNewer(): void {
    this.#withFile((file) => {
      const bytes = readBetween(file, this.#end, fstatSync(file).size);
      const length = endOfLines(bytes);
      this.#end += length;
      this.#entries.addNewer(decodeLines(bytes.toString('utf8', 0, length)));
    });
  }

  /** False where all has been read. */
  #readOlder(bytes: number): boolean {
    if (this.#begin === 0) return false;
    this.#guard(() => this.#withFile((file) => this.#readOlderFrom(file, bytes)));
    return this.#begin > 0;
  }

  #readOlderFrom(file: number, wanted: number): void {
    if (this.#file !== undefined && !isSameFile(fstatSync(file), this.#file)) {
      // Replaced: the next refresh reads it whole.
      this.#begin = 0;
      return;
    }
    for (let length = wanted; ; length *= 2) {
      const from = Math.max(0, this.#begin - length);
      const bytes = readBetween(file, from, this.#begin);
      // The first line may have begun before.
      const first = from === 0 ? 0 : bytes.indexOf(0x0a) + 1;
      const end = endOfLines(bytes);
      if (from > 0 && (first === 0 || first === end)) continue;
      // At the very end a line may be in the making, which belongs to what is newer.
      if (this.#begin === this.#end) this.#end = from + end;
      this.#begin = from + first;
      this.#entries.addOlder(decodeLines(bytes.toString('utf8', first, end)));
      return;
    }
  }

  #withFile(read: (file: number) => void): void {
    const file = openForReading(this.#options.path);
    if (file === undefined) return;
    try {
      read(file);
    } finally {
      closeSync(file);
    }
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#begin = 0; // Nothing more is to be had: whoever walks shall not ask for ever.
      this.#tell('is not kept', error);
    }
  }

  #tell(what: string, error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.onProblem?.(`the history in ${this.#options.path} ${what}: ${why}`);
  }
}
