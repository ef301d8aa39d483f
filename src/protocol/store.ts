/**
 * The methods of the coordination store, for control.ts: what an agent answers about the store that its cluster uses, to its own
 * clients and, for an embedded store, to other nodes' agents. Revisions are decimal texts, since JSON numbers end at 2^53; values are base64.
 * What they mean stands in src/store/store.ts; on the wire they are made and read by src/store/wire.ts alone.
 */
import * as v from 'valibot';
import { method, none } from './method.ts';
import { nodeIdSchema } from './process.ts';

const text = v.pipe(v.string(), v.maxLength(8192));
/** Whether it is a good key is said by src/store/check-request.ts, for every backend alike. */
const key = v.pipe(v.string(), v.maxLength(4096));
const bytes = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]*={0,2}$/));
const revision = v.pipe(v.string(), v.regex(/^\d{1,19}$/));
const session = v.pipe(v.string(), v.regex(/^[1-9a-f][0-9a-f]{0,15}$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/**
 * From another node's agent: the node whose embedded store is meant. Who does not hold it refuses. Absent: the store of the cluster,
 * wherever it is.
 */
const at = v.optional(nodeIdSchema);
/** ms that the caller waits: what cannot even be begun by then is refused in time for it to hear that nothing was done. */
const withinMs = v.optional(v.pipe(v.number(), v.minValue(1)));

export const wireEntry = v.object({
  key,
  value: bytes,
  create: revision,
  mod: revision,
  version: revision,
  session: v.optional(session),
});
export type WireEntry = v.InferOutput<typeof wireEntry>;

const is = v.optional(v.picklist(['=', '!=', '<', '>']));
export const wireCompare = v.variant('on', [
  v.object({ key, on: v.picklist(['create', 'mod', 'version']), is, to: revision }),
  v.object({ key, on: v.literal('value'), is, to: bytes }),
  /** Without `to`: no session. */
  v.object({ key, on: v.literal('session'), is: v.optional(v.picklist(['=', '!='])), to: v.optional(session) }),
]);
export type WireCompare = v.InferOutput<typeof wireCompare>;

export const wireOp = v.variant('op', [
  v.object({ op: v.literal('put'), key, value: bytes, session: v.optional(session) }),
  v.object({ op: v.literal('delete'), key }),
  v.object({ op: v.literal('deletePrefix'), prefix: key }),
  v.object({ op: v.literal('get'), key }),
  v.object({ op: v.literal('list'), prefix: key, limit: v.optional(count), keysOnly: v.optional(v.boolean()) }),
]);
export type WireOp = v.InferOutput<typeof wireOp>;

export const wireOpResult = v.variant('op', [
  v.object({ op: v.literal('put') }),
  v.object({ op: v.picklist(['delete', 'deletePrefix']), deleted: count }),
  v.object({ op: v.literal('get'), entry: v.optional(wireEntry) }),
  v.object({ op: v.literal('list'), entries: v.array(wireEntry), more: v.boolean() }),
]);
export type WireOpResult = v.InferOutput<typeof wireOpResult>;

/** `entry` where it was put, `previous` where something was there. */
const wireEvent = v.object({ key, entry: v.optional(wireEntry), previous: v.optional(wireEntry) });
export const wireBatch = v.object({ revision, events: v.array(wireEvent) });
export type WireBatch = v.InferOutput<typeof wireBatch>;

/** Where a store is, and how it is. */
export const storeStatus = v.object({
  backend: v.picklist(['etcd', 'embedded', 'memory']),
  endpoints: v.array(text),
  version: v.optional(text),
  health: v.picklist(['ok', 'degraded', 'down']),
  warnings: v.array(text),
  members: v.array(
    v.object({
      name: text,
      endpoint: text,
      version: v.optional(text),
      leader: v.optional(v.boolean()),
      problem: v.optional(text),
    }),
  ),
  faultTolerant: v.boolean(),
  revision: v.optional(revision),
  sizeBytes: v.optional(v.number()),
});
export type WireStatus = v.InferOutput<typeof storeStatus>;

export const storeMethods = {
  /**
   * Makes sure that the store can be asked, which may take a login, and a person who is asked for a secret: so it has no deadline. What is
   * asked later finds the way open. `note`: what a person should know where the cluster file has named another store lately.
   */
  'store.open': method(v.object({ at }), v.object({ note: v.optional(text) })),
  'store.get': method(v.object({ at, withinMs, key }), v.object({ entry: v.optional(wireEntry), revision })),
  /**
   * `more` also where the rest did not fit into the answer: the next page begins after the last key, at the revision `read`, at
   * which this one was read.
   */
  'store.list': method(
    v.object({
      at,
      withinMs,
      prefix: key,
      limit: v.optional(count),
      keysOnly: v.optional(v.boolean()),
      after: v.optional(key),
      atRevision: v.optional(revision),
    }),
    v.object({ entries: v.array(wireEntry), more: v.boolean(), revision, read: revision }),
  ),
  'store.txn': method(
    v.object({
      at,
      withinMs,
      if: v.array(wireCompare),
      do: v.array(wireOp),
      else: v.array(wireOp),
    }),
    v.object({ succeeded: v.boolean(), revision, results: v.array(wireOpResult) }),
  ),
  /** Begins a watch, which lives as long as this connection. */
  'store.watch': method(v.object({ at, prefix: key, from: revision }), v.object({ watch: count })),
  /** What has happened since the last `next`: answered at once where there is something, else when there is, or with nothing after `idleMs`. */
  'store.next': method(
    v.object({ watch: count, idleMs: v.pipe(v.number(), v.minValue(1), v.maxValue(600_000)) }),
    v.object({ batches: v.array(wireBatch) }),
  ),
  'store.unwatch': method(v.object({ watch: count }), none),
  'store.grant': method(v.object({ at, withinMs, ttlSeconds: v.number() }), v.object({ session, ttlMs: v.number() })),
  'store.renew': method(v.object({ at, withinMs, session }), v.object({ ttlMs: v.number() })),
  'store.revoke': method(v.object({ at, withinMs, session }), none),
  'store.compact': method(v.object({ at, withinMs, revision }), none),
  'store.status': method(v.object({ at, withinMs }), storeStatus),
  /**
   * Can this node log in to the one that holds the embedded store? Asked of every node by `nsh store status`. A node without a cluster
   * file of its own goes by what it is told here.
   */
  'store.reach': method(
    v.object({
      id: nodeIdSchema,
      name: text,
      host: v.optional(text),
      port: v.optional(v.number()),
      user: v.optional(text),
      transport: v.optional(v.picklist(['ssh2', 'openssh'])),
      agentCommand: text,
    }),
    none,
  ),
} as const;
