/**
 * The embedded store: one StoreState, one database, any number of callers. What is asked is done in memory at once, in the order in which it
 * comes; the answer waits until all that it saw is on the disk (commit-queue.ts), so nothing that was answered is ever taken back. What
 * only reads is told what is on the disk, where all is that was answered before, and so waits for nothing; but for a change of which somebody
 * was told that it may have been done: that is found out by reading.
 * Where the disk fails, callers hear `storeUnknown`, and the store begins again from what the disk holds; unless that is another's now.
 */
import { randomBytes } from 'node:crypto';
import { isSessionLost, storeUnavailable, storeUnknown } from '../../src/store/errors.ts';
import { giveUp, throwIfCancelled } from '../../src/store/give-up.ts';
import type { Granted, StoreCalls } from '../../src/store/store-calls.ts';
import type {
  CallOptions,
  Compare,
  GetResult,
  ListOptions,
  ListResult,
  Op,
  SessionId,
  StoreStatus,
  TxnResult,
  WatchBatch,
} from '../../src/store/store.ts';
import { programVersion } from '../../src/protocol/version.ts';
import { sessionId } from './codec.ts';
import { CommitQueue } from './commit-queue.ts';
import { TakenError, type Database } from './database.ts';
import { Expiry } from './expiry.ts';
import { isRead, StoreState, type Mutation, type StateLimits } from './state.ts';

export interface EmbeddedOptions {
  /** Opened anew where it has failed. */
  readonly openDatabase: () => Database;
  /** The node that it is on. */
  readonly node: string;
  readonly limits?: Partial<StateLimits>;
  /** The database is closed for good. */
  readonly onClosed?: () => void;
  /** The first session has come, or the last has gone. */
  readonly onSessions?: () => void;
  readonly onLog?: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** etcd's default is 2 GiB, of disk; here it is memory of an agent. */
const defaultLimits: StateLimits = {
  maxRevisions: 10_000,
  maxBytes: 32 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
};

/** A watch that has nothing to tell says how far it is every so many revisions. */
const progressEvery = 500n;
/** After a failure of the disk, until it is tried again. */
const recoveryMs = 1_000;

export class EmbeddedStore implements StoreCalls {
  readonly #options: EmbeddedOptions;
  readonly #limits: StateLimits;
  readonly #expiry: Expiry;
  #database: Database;
  #queue: CommitQueue;
  #state: StoreState;
  /** Of what is on the disk: watches tell no more. */
  #lastingRevision: bigint;
  readonly #watchers = new Set<() => void>();
  /** Changes on their way of which somebody was told that it is unknown what becomes of them. */
  #doubts = 0;
  #failure: unknown;
  #isClosed = false;

  /** Reads what the database holds. @throws what that throws. */
  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#expiry = new Expiry({
      onExpired: (id) => this.#expire(id),
      onChange: () => options.onSessions?.(),
    });
    this.#database = options.openDatabase();
    this.#queue = this.#newQueue();
    this.#state = this.#load();
    this.#lastingRevision = this.#state.revision;
  }

  /** Sessions live here: whoever holds them counts on it. */
  get hasSessions(): boolean {
    return this.#expiry.size > 0;
  }

  async get(key: string, options: CallOptions): Promise<GetResult> {
    return await this.#look(options, (revision) => {
      const entry = this.#state.getAt(key, revision);
      return { revision, ...(entry === undefined ? {} : { entry }) };
    });
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    const list = (revision: bigint): ListResult => ({
      ...this.#state.list(prefix, { ...options, atRevision: options.atRevision ?? revision }),
      revision,
    });
    const isTold = (options.atRevision ?? 0n) <= this.#lastingRevision;
    return isTold ? await this.#look(options, list) : await this.#read(options, () => list(this.#state.revision));
  }

  async txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[],
    options: CallOptions,
  ): Promise<TxnResult> {
    if (compares.length === 0 && then.every(isRead))
      return await this.#look(options, (revision) => this.#state.readAt(then, revision));
    return await this.#run(options, () => {
      const { result, mutation } = this.#state.txn(compares, then, otherwise);
      return { result, mutation };
    });
  }

  async *watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    let next = fromRevision;
    let told = fromRevision - 1n;
    while (!signal.aborted) {
      this.#throwIfClosed();
      if (next > this.#lastingRevision) {
        await this.#changed(signal);
        continue;
      }
      const revision = next++;
      const events = this.#state.history.at(revision)?.events.filter(({ key }) => key.startsWith(prefix)) ?? [];
      if (events.length === 0 && revision - told < progressEvery) continue;
      told = revision;
      yield { revision, events };
    }
  }

  async grant(ttlSeconds: number, options: CallOptions): Promise<Granted> {
    const id = newSessionId();
    const ttlMs = ttlSeconds * 1000;
    return await this.#run(options, () => {
      const mutation = this.#state.openSession(id, ttlSeconds);
      this.#expiry.renew(id, ttlMs);
      return { result: { id, ttlMs }, mutation };
    });
  }

  async renew(id: SessionId, options: CallOptions): Promise<{ readonly ttlMs: number }> {
    return await this.#read(options, () => {
      const ttlMs = this.#state.ttlOf(id) * 1000;
      this.#expiry.renew(id, ttlMs);
      return { ttlMs };
    });
  }

  async revoke(id: SessionId, options: CallOptions): Promise<void> {
    await this.#run(options, () => {
      const mutation = this.#state.endSession(id);
      this.#expiry.drop(id);
      return { result: undefined, mutation };
    });
  }

  async compact(revision: bigint, options: CallOptions): Promise<void> {
    await this.#run(options, () => ({ result: undefined, mutation: this.#state.compact(revision) }));
  }

  async status(): Promise<StoreStatus> {
    const { node } = this.#options;
    const failed = this.#failure === undefined ? undefined : explain(this.#failure);
    return await Promise.resolve({
      backend: 'embedded',
      endpoints: [node],
      version: programVersion,
      health: failed === undefined ? 'ok' : 'down',
      warnings: failed === undefined ? [] : [failed],
      members: [
        { name: node, endpoint: node, version: programVersion, ...(failed === undefined ? {} : { problem: failed }) },
      ],
      faultTolerant: false,
      ...(failed === undefined ? { revision: this.#lastingRevision, sizeBytes: this.#state.totalBytes } : {}),
    });
  }

  /** Writes what is pending, and fails what is asked later. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#expiry.close();
    await this.#queue.end();
    this.#wakeWatchers();
    await this.#database.close();
    this.#options.onClosed?.();
  }

  /** What is on the disk is told at once, whatever is on its way there: nobody has been told of that yet. */
  async #look<T>(options: CallOptions, look: (revision: bigint) => T): Promise<T> {
    throwIfCancelled(options);
    this.#throwIfClosed();
    this.#throwIfFailed();
    const revision = this.#lastingRevision;
    // What is on its way may have taken the history along.
    const isKnown = this.#doubts === 0 && revision >= this.#state.history.compacted;
    if (!isKnown) return await this.#read(options, () => look(this.#state.revision));
    return await Promise.resolve(look(revision));
  }

  async #read<T>(options: CallOptions, look: () => T): Promise<T> {
    return await this.#run(options, () => ({ result: look(), mutation: undefined }));
  }

  /** `work` is done at once, its answer waits for the disk. */
  async #run<T>(
    options: CallOptions,
    work: () => { readonly result: T; readonly mutation: Mutation | undefined },
  ): Promise<T> {
    throwIfCancelled(options);
    this.#throwIfClosed();
    this.#throwIfFailed();
    const { outcome, mutation } = attempt(work);
    if (mutation !== undefined) this.#queue.add(mutation);
    // All that is in memory now is what it saw, also where it was refused for it.
    const isWrite = mutation !== undefined;
    const lasts = this.#queue.lasts(isWrite);
    if (lasts !== undefined) await this.#awaitDisk(lasts, isWrite, options);
    return outcome();
  }

  async #awaitDisk(lasts: Promise<void>, isWrite: boolean, options: CallOptions): Promise<void> {
    try {
      await giveUp(lasts, { ...options, who: this.#who, isWrite });
    } catch (error) {
      if (isWrite) this.#doubt(lasts);
      throw error;
    }
  }

  #doubt(lasts: Promise<void>): void {
    this.#doubts++;
    const settled = (): void => {
      this.#doubts--;
    };
    lasts.then(settled, settled);
  }

  #newQueue(): CommitQueue {
    return new CommitQueue(this.#database, {
      onLasting: (mutations) => {
        for (const { batch } of mutations) if (batch !== undefined) this.#lastingRevision = batch.revision;
        this.#wakeWatchers();
      },
      onFailure: (error) => this.#fail(error),
      explain: (error, mayBeDone) => {
        const why = `${this.#who}: ${explain(error)}`;
        return mayBeDone ? storeUnknown(why, error) : storeUnavailable(why, error);
      },
    });
  }

  /** What memory holds beyond the disk is worth nothing any more. */
  #fail(error: unknown): void {
    this.#failure = error;
    this.#options.onLog?.('store: it fails', { error: messageOf(error) });
    if (!(error instanceof TakenError)) this.#recoverLater();
  }

  #recoverLater(): void {
    setTimeout(() => void this.#recover(), recoveryMs).unref();
  }

  async #recover(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#database.close();
      this.#database = this.#options.openDatabase();
      this.#queue = this.#newQueue();
      this.#state = this.#load();
      this.#lastingRevision = this.#state.revision;
      this.#failure = undefined;
      this.#wakeWatchers();
      this.#options.onLog?.('store: the disk is back', { revision: String(this.#state.revision) });
    } catch (error) {
      this.#failure = error;
      if (!(error instanceof TakenError)) this.#recoverLater();
    }
  }

  #load(): StoreState {
    const state = new StoreState(this.#limits, this.#database.load());
    for (const id of state.sessions) this.#expiry.renew(id, state.ttlOf(id) * 1000);
    return state;
  }

  #expire(id: SessionId): void {
    if (this.#failure !== undefined) return;
    this.#options.onLog?.('store: session expired', { session: id });
    this.revoke(id, {}).catch((error: unknown) => {
      // The next tick tries again, unless there is nothing left to end.
      if (isSessionLost(error)) this.#expiry.drop(id);
    });
  }

  /** Resolves when watches may have something to tell, or the signal fires. */
  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#watchers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #wakeWatchers(): void {
    for (const wake of this.#watchers) wake();
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw storeUnavailable(`${this.#who} has been closed`);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw storeUnavailable(`${this.#who}: ${explain(this.#failure)}`, this.#failure);
  }

  get #who(): string {
    return `the store on ${this.#options.node}`;
  }
}

interface Attempted<T> {
  /** Its result, or what it throws. */
  readonly outcome: () => T;
  readonly mutation: Mutation | undefined;
}

function attempt<T>(work: () => { readonly result: T; readonly mutation: Mutation | undefined }): Attempted<T> {
  try {
    const { result, mutation } = work();
    return { outcome: () => result, mutation };
  } catch (error) {
    return {
      outcome: () => {
        throw error;
      },
      mutation: undefined,
    };
  }
}

/** 63 bits, as etcd's own are positive. */
function newSessionId(): SessionId {
  const value = randomBytes(8).readBigUInt64BE() >> 1n;
  return value === 0n ? newSessionId() : sessionId(value);
}

function explain(failure: unknown): string {
  return failure instanceof TakenError ? failure.message : `its disk fails: ${messageOf(failure)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
