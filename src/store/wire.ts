/** The store's values as JSON can carry them, and back. */
import type { WireBatch, WireCompare, WireEntry, WireOp, WireOpResult, WireStatus } from '../protocol/store.ts';
import type {
  Compare,
  Entry,
  Op,
  OpResult,
  SessionId,
  StoreMember,
  StoreStatus,
  WatchBatch,
  WatchEvent,
} from './store.ts';

export function toWireEntry({ key, value, createRevision, modRevision, version, session }: Entry): WireEntry {
  return {
    key,
    value: toBase64(value),
    create: String(createRevision),
    mod: String(modRevision),
    version: String(version),
    ...(session === undefined ? {} : { session }),
  };
}

export function fromWireEntry({ key, value, create, mod, version, session }: WireEntry): Entry {
  return {
    key,
    value: Buffer.from(value, 'base64'),
    createRevision: BigInt(create),
    modRevision: BigInt(mod),
    version: BigInt(version),
    ...(session === undefined ? {} : { session: session as SessionId }),
  };
}

export function toWireCompare(compare: Compare): WireCompare {
  const { key } = compare;
  switch (compare.on) {
    case 'value':
      return { key, on: 'value', to: toBase64(compare.to), ...relation(compare.is) };
    case 'session':
      return { key, on: 'session', ...(compare.to === undefined ? {} : { to: compare.to }), ...relation(compare.is) };
    default:
      return { key, on: compare.on, to: String(compare.to), ...relation(compare.is) };
  }
}

export function fromWireCompare(compare: WireCompare): Compare {
  const { key } = compare;
  switch (compare.on) {
    case 'value':
      return { key, on: 'value', to: Buffer.from(compare.to, 'base64'), ...relation(compare.is) };
    case 'session':
      return { key, on: 'session', to: compare.to as SessionId | undefined, ...relation(compare.is) };
    default:
      return { key, on: compare.on, to: BigInt(compare.to), ...relation(compare.is) };
  }
}

export function toWireOp(op: Op): WireOp {
  return op.op === 'put' ? { ...op, value: toBase64(op.value) } : op;
}

export function fromWireOp(op: WireOp): Op {
  switch (op.op) {
    case 'put': {
      const { key, session } = op;
      const value = Buffer.from(op.value, 'base64');
      return { op: 'put', key, value, ...(session === undefined ? {} : { session: session as SessionId }) };
    }
    case 'list': {
      const { prefix, limit = 0, keysOnly = false } = op;
      return { op: 'list', prefix, limit, keysOnly };
    }
    default:
      return op;
  }
}

export function toWireOpResult(result: OpResult): WireOpResult {
  switch (result.op) {
    case 'get':
      return { op: 'get', ...(result.entry === undefined ? {} : { entry: toWireEntry(result.entry) }) };
    case 'list':
      return { op: 'list', entries: result.entries.map((entry) => toWireEntry(entry)), more: result.more };
    default:
      return result;
  }
}

export function fromWireOpResult(result: WireOpResult): OpResult {
  switch (result.op) {
    case 'get':
      return { op: 'get', ...(result.entry === undefined ? {} : { entry: fromWireEntry(result.entry) }) };
    case 'list':
      return { op: 'list', entries: result.entries.map((entry) => fromWireEntry(entry)), more: result.more };
    default:
      return result;
  }
}

export function toWireBatch({ revision, events }: WatchBatch): WireBatch {
  return {
    revision: String(revision),
    events: events.map((event) => ({
      key: event.key,
      ...(event.type === 'put' ? { entry: toWireEntry(event.entry) } : {}),
      ...(event.previous === undefined ? {} : { previous: toWireEntry(event.previous) }),
    })),
  };
}

export function fromWireBatch({ revision, events }: WireBatch): WatchBatch {
  return {
    revision: BigInt(revision),
    events: events.map(({ key, entry, previous }): WatchEvent => {
      const was = previous === undefined ? {} : { previous: fromWireEntry(previous) };
      if (entry === undefined) return { type: 'delete', key, ...was };
      return { type: 'put', key, entry: fromWireEntry(entry), ...was };
    }),
  };
}

export function toWireStatus({ revision, endpoints, warnings, members, ...status }: StoreStatus): WireStatus {
  return {
    ...status,
    endpoints: [...endpoints],
    warnings: [...warnings],
    members: members.map((member) => ({ ...member })),
    ...(revision === undefined ? {} : { revision: String(revision) }),
  };
}

export function fromWireStatus({ revision, members, version, sizeBytes, ...status }: WireStatus): StoreStatus {
  return {
    ...status,
    members: members.map((member) => definedOnly(member) as StoreMember),
    ...(version === undefined ? {} : { version }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(revision === undefined ? {} : { revision: BigInt(revision) }),
  };
}

/** Without the members that are undefined, which are as good as absent on the wire. */
function definedOnly(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
}

function relation<R extends string>(is: R | undefined): { readonly is?: R } {
  return is === undefined ? {} : { is };
}

function toBase64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
}
