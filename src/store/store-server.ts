/** Serves a store's calls on one control connection: the other end of RemoteStore. Watches live as long as the connection. */
import type { MethodName } from '../protocol/control.ts';
import { toNshError } from '../protocol/errors.ts';
import type { RequestContext } from '../rpc/peer.ts';
import type { Handlers } from '../rpc/typed.ts';
import { checkKey, checkList, checkTtl, checkTxn, isSessionId } from './check-request.ts';
import { isStoreError, sessionLost, storeClosed, storeMisuse, storeTooLarge, storeUnavailable } from './errors.ts';
import { giveUp } from './give-up.ts';
import type { StoreCalls } from './store-calls.ts';
import type { Entry, SessionId } from './store.ts';
import { WatchFeed } from './watch-feed.ts';
import { fromWireCompare, fromWireOp, toWireBatch, toWireEntry, toWireOpResult, toWireStatus } from './wire.ts';

export type StoreMethodName = Exclude<Extract<MethodName, `store.${string}`>, 'store.reach'>;

/** @param at the node whose embedded store is meant. @throws NshError `storeUnavailable` */
export type FindCalls = (at: number | undefined, signal: AbortSignal) => Promise<StoreCalls>;

/** Who asks decides how long it waits, and cancels; this only bounds what nobody cancels. */
const deadlineMs = 60_000;
/** Of keys and values in one answer, about; one entry is always sent. */
const maxPageBytes = 4 * 1024 * 1024;
/** Of the time that the caller waits, until there is a way to the store, and until there is an answer. */
const beginShare = 0.8;
const answerShare = 0.9;
const maxWatches = 10_000;

export class StoreServer {
  readonly handlers: Handlers<StoreMethodName, RequestContext>;
  readonly #watches = new Map<number, WatchFeed>();
  #nextWatch = 1;
  #isClosed = false;

  readonly #find: FindCalls;

  constructor(find: FindCalls) {
    this.#find = find;
    // With the whole time another member would be asked only when whoever asks has given up.
    const patience = (withinMs: number | undefined, { signal }: RequestContext) => ({
      signal,
      deadlineMs: withinMs === undefined ? deadlineMs : withinMs * answerShare,
    });
    this.handlers = {
      'store.open': async ({ at }, { signal }) => {
        await find(at, signal);
        return {};
      },
      'store.get': async ({ at, withinMs, key }, context) => {
        checkKey(key);
        const { entry, revision } = await (await this.#begin(at, withinMs, context)).get(
          key,
          patience(withinMs, context),
        );
        return { revision: String(revision), ...(entry === undefined ? {} : { entry: toWireEntry(entry) }) };
      },
      'store.list': async ({ at, withinMs, prefix, after, atRevision, limit = 0, keysOnly = false }, context) => {
        const options = {
          limit,
          keysOnly,
          ...(after === undefined ? {} : { after }),
          ...(atRevision === undefined ? {} : { atRevision: BigInt(atRevision) }),
        };
        checkList(prefix, options);
        const calls = await this.#begin(at, withinMs, context);
        const { entries, more, revision } = await calls.list(prefix, { ...options, ...patience(withinMs, context) });
        const page = pageOf(entries);
        return {
          entries: page.map((entry) => toWireEntry(entry)),
          more: more || page.length < entries.length,
          revision: String(revision),
          read: atRevision ?? String(revision),
        };
      },
      'store.txn': async ({ at, withinMs, if: compares, do: then, else: otherwise }, context) => {
        const request = [
          compares.map((compare) => fromWireCompare(compare)),
          then.map((op) => fromWireOp(op)),
          otherwise.map((op) => fromWireOp(op)),
        ] as const;
        checkTxn(...request);
        const calls = await this.#begin(at, withinMs, context);
        const { succeeded, revision, results } = await calls.txn(...request, patience(withinMs, context));
        return { succeeded, revision: String(revision), results: results.map((result) => toWireOpResult(result)) };
      },
      'store.watch': async ({ at, prefix, from }, context) => {
        checkList(prefix, {});
        if (BigInt(from) < 1n) throw storeMisuse(`a watch from revision ${from}`);
        return this.#watch(await find(at, context.signal), prefix, BigInt(from));
      },
      'store.next': async ({ watch, idleMs }, { signal }) => {
        const feed = this.#watches.get(watch);
        if (feed === undefined) throw storeMisuse(`watch ${watch}, which is not there`);
        try {
          const batches = await feed.take({ idleMs, signal, maxBytes: maxPageBytes });
          return { batches: batches.map((batch) => toWireBatch(batch)) };
        } catch (error) {
          if (!signal.aborted) this.#end(watch);
          throw error;
        }
      },
      'store.unwatch': async ({ watch }) => {
        this.#end(watch);
        return await Promise.resolve({});
      },
      'store.grant': async ({ at, withinMs, ttlSeconds }, context) => {
        checkTtl(ttlSeconds);
        const { id, ttlMs } = await (await this.#begin(at, withinMs, context)).grant(
          ttlSeconds,
          patience(withinMs, context),
        );
        return { session: id, ttlMs };
      },
      'store.renew': async ({ at, withinMs, session }, context) =>
        await (await this.#begin(at, withinMs, context)).renew(checkSession(session), patience(withinMs, context)),
      'store.revoke': async ({ at, withinMs, session }, context) => {
        await (await this.#begin(at, withinMs, context)).revoke(checkSession(session), patience(withinMs, context));
        return {};
      },
      'store.compact': async ({ at, withinMs, revision }, context) => {
        await (await this.#begin(at, withinMs, context)).compact(BigInt(revision), patience(withinMs, context));
        return {};
      },
      'store.status': async ({ at, withinMs }, context) =>
        toWireStatus(await (await this.#begin(at, withinMs, context)).status(patience(withinMs, context))),
    };
  }

  /** The connection has ended. */
  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches.keys()) this.#end(watch);
  }

  /** The way to the store, which a login may still be opening. Who would not wait for it hears so before it has given up itself. */
  async #begin(at: number | undefined, withinMs: number | undefined, { signal }: RequestContext): Promise<StoreCalls> {
    const limitMs = withinMs === undefined ? deadlineMs : withinMs * beginShare;
    try {
      return await giveUp(this.#find(at, signal), { who: 'its node', isWrite: false, deadlineMs: limitMs, signal });
    } catch (error) {
      // Whatever was in the way: nothing was done.
      throw isStoreError(error) || signal.aborted ? error : storeUnavailable(toNshError(error).message, error);
    }
  }

  #watch(calls: StoreCalls, prefix: string, from: bigint): { readonly watch: number } {
    if (this.#isClosed) throw storeClosed();
    if (this.#watches.size >= maxWatches) throw storeTooLarge(`more than ${maxWatches} watches on one connection`);
    const watch = this.#nextWatch++;
    this.#watches.set(watch, new WatchFeed((signal) => calls.watch(prefix, from, signal)));
    return { watch };
  }

  #end(watch: number): void {
    this.#watches.get(watch)?.close();
    this.#watches.delete(watch);
  }
}

function pageOf(entries: readonly Entry[]): readonly Entry[] {
  let bytes = 0;
  const end = entries.findIndex((entry, index) => {
    bytes += entry.key.length + entry.value.length;
    return index > 0 && bytes > maxPageBytes;
  });
  return end === -1 ? entries : entries.slice(0, end);
}

function checkSession(text: string): SessionId {
  if (isSessionId(text)) return text;
  throw sessionLost(text as SessionId, 'it is the name of no session');
}
