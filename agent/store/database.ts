/**
 * The embedded store on disk: LMDB (https://www.symas.com/lmdb), four tables in one file. A write is on the disk when it resolves: one transaction,
 * flushed with fdatasync(2) before its page becomes the newest (none of LMDB's options that trade that away is ever set). After
 * a kill -9 or a power cut the file is as it was after some write that had resolved, or one later.
 * Who opens it writes down that it is theirs, and each write looks whether it still is: should two agents ever have it open (the lock file
 * tells processes of one PID namespace from each other), the first one's next write fails, and nothing of the second's is lost.
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
  /** Again: nothing. */
  close(): Promise<void>;
}

type Bytes = Table<Buffer, Buffer>;

const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;

export interface OpenOptions {
  /** Of a directory that is there. */
  readonly path: string;
  /** Who has it: a text that nobody else uses. */
  readonly owner: string;
  /** It is ours from now on; false: it must be already. */
  readonly take: boolean;
}

/** What a write ends with where another agent has taken the database; it never is this one's again. */
export class TakenError extends Error {
  override readonly name = 'TakenError';

  constructor() {
    super('another agent has opened the same files');
  }
}

/** @throws TakenError */
export function openDatabase({ path, owner, take }: OpenOptions): Database {
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
    // A write begins at once: what goes together is gathered before it comes here. (With it a failed commit rejects a promise of its own.)
    eventTurnBatching: false,
    commitDelay: 0,
    cache: false,
  });
  return new LmdbDatabase(root, owner, take);
}

class LmdbDatabase implements Database {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #entries: Bytes;
  readonly #history: Bytes;
  readonly #sessions: Bytes;
  readonly #meta: Bytes;
  readonly #owner: Buffer;
  #isClosed = false;

  constructor(root: RootDatabase<Buffer, Buffer>, owner: string, take: boolean) {
    this.#root = root;
    this.#owner = Buffer.from(owner);
    this.#entries = root.openDB({ ...binary, name: 'entries' });
    this.#history = root.openDB({ ...binary, name: 'history' });
    this.#sessions = root.openDB({ ...binary, name: 'sessions' });
    this.#meta = root.openDB({ ...binary, name: 'meta' });
    if (take) this.#meta.putSync(ownerKey, this.#owner);
    else this.#checkOwner();
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
    try {
      // A child transaction, since lmdb-js keeps what an ordinary one has written before its callback throws.
      await this.#root.childTransaction(() => {
        this.#checkOwner();
        for (const mutation of mutations) this.#writeOne(mutation);
      });
    } catch (error) {
      throw await causeOf(error);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
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

  #checkOwner(): void {
    if (this.#meta.get(ownerKey)?.equals(this.#owner) !== true) throw new TakenError();
  }

  #number(name: string): bigint | undefined {
    return this.#meta.get(Buffer.from(name))?.readBigUInt64BE();
  }

  #setNumber(name: string, value: bigint): void {
    void this.#meta.put(Buffer.from(name), encodeNumber(value));
  }
}

/** Of a commit that failed lmdb-js tells the reason by a promise that rejects a little later, and would end the process unheard. */
async function causeOf(failure: unknown): Promise<unknown> {
  const { commitError } = failure as { readonly commitError?: Promise<never> };
  if (commitError === undefined) return failure;
  const told = commitError.catch((cause: unknown) => cause);
  return (await Promise.race([told, nextTurn()])) ?? failure;
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => {
    setImmediate(() => resolve(undefined));
  });
}

const ownerKey = Buffer.from('owner');

function sessionKey(id: SessionId): Buffer {
  return encodeNumber(sessionNumber(id));
}
