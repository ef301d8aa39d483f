/**
 * The embedded store on disk: LMDB (https://www.symas.com/lmdb), four tables in one file. A write is on the disk when it resolves: one transaction,
 * flushed with fdatasync(2) before its page becomes the newest (none of LMDB's options that trade that away is ever set). After
 * a kill -9 or a power cut the file is as it was after some write that had resolved, or one later.
 */
import { open, type Database as Table, type RootDatabase } from 'lmdb';
import { NshError } from '../../src/protocol/errors.ts';
import type { SessionId } from '../../src/store/store.ts';
import {
  decodeBatch,
  decodeEntry,
  encodeBatch,
  encodeEntry,
  encodeNumber,
  formatVersion,
  sessionId,
  sessionNumber,
} from './codec.ts';
import { emptyStore, type Mutation, type Stored } from './state.ts';

/** Where mutations become lasting. */
export interface Database {
  load(): Stored;
  /** Writes them all in one transaction; resolves when that is on the disk. A rejection leaves open whether it is. */
  write(mutations: readonly Mutation[]): Promise<void>;
  close(): Promise<void>;
}

type Bytes = Table<Buffer, Buffer>;

const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** @param path of a directory that is there. */
export function openDatabase(path: string): Database {
  const root = open<Buffer, Buffer>({
    ...binary,
    path,
    noSubdir: false,
    maxDbs: 8,
    maxReaders: 8,
    // A commit is flushed before it is the newest one, and before the next begins.
    overlappingSync: false,
    noSync: false,
    noMetaSync: false,
    useWritemap: false,
    commitDelay: 0,
    cache: false,
  });
  return new LmdbDatabase(root);
}

class LmdbDatabase implements Database {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #entries: Bytes;
  readonly #history: Bytes;
  readonly #sessions: Bytes;
  readonly #meta: Bytes;

  constructor(root: RootDatabase<Buffer, Buffer>) {
    this.#root = root;
    this.#entries = root.openDB({ ...binary, name: 'entries' });
    this.#history = root.openDB({ ...binary, name: 'history' });
    this.#sessions = root.openDB({ ...binary, name: 'sessions' });
    this.#meta = root.openDB({ ...binary, name: 'meta' });
  }

  load(): Stored {
    const format = this.#number('format');
    if (format === undefined) return emptyStore;
    if (format !== formatVersion)
      throw new NshError(
        'agentFailed',
        `the store was written by another version of nsh (its format is ${format}, not ${formatVersion}); install that one`,
      );
    return {
      revision: this.#number('revision') ?? 1n,
      compacted: this.#number('compacted') ?? 0n,
      entries: [...this.#entries.getRange()].map(({ key, value }) => decodeEntry(Buffer.from(key).toString(), value)),
      history: [...this.#history.getRange()].map(({ key, value }) =>
        decodeBatch(Buffer.from(key).readBigUInt64BE(), value),
      ),
      sessions: [...this.#sessions.getRange()].map(({ key, value }) => ({
        id: sessionId(Buffer.from(key).readBigUInt64BE()),
        ttlSeconds: Number(value.readBigUInt64BE()),
      })),
    };
  }

  async write(mutations: readonly Mutation[]): Promise<void> {
    // A child transaction, since lmdb-js keeps what an ordinary one has written before its callback throws.
    await this.#root.childTransaction(() => {
      for (const mutation of mutations) this.#writeOne(mutation);
    });
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  /** Inside a transaction: each put and remove is done at once, and its promise says nothing more. */
  #writeOne({ batch, opened, ended, compacted }: Mutation): void {
    if (batch !== undefined) {
      void this.#history.put(encodeNumber(batch.revision), encodeBatch(batch));
      for (const event of batch.events) {
        const key = Buffer.from(event.key);
        if (event.type === 'put') void this.#entries.put(key, encodeEntry(event.entry));
        else void this.#entries.remove(key);
      }
      this.#setNumber('revision', batch.revision);
    }
    if (opened !== undefined) void this.#sessions.put(sessionKey(opened.id), encodeNumber(BigInt(opened.ttlSeconds)));
    if (ended !== undefined) void this.#sessions.remove(sessionKey(ended));
    if (compacted !== undefined) this.#compact(compacted);
    this.#setNumber('format', formatVersion);
  }

  #compact(revision: bigint): void {
    for (let old = this.#number('compacted') ?? 0n; old < revision; ) {
      old++;
      void this.#history.remove(encodeNumber(old));
    }
    this.#setNumber('compacted', revision);
  }

  #number(name: string): bigint | undefined {
    return this.#meta.get(Buffer.from(name))?.readBigUInt64BE();
  }

  #setNumber(name: string, value: bigint): void {
    void this.#meta.put(Buffer.from(name), encodeNumber(value));
  }
}

function sessionKey(id: SessionId): Buffer {
  return encodeNumber(sessionNumber(id));
}
