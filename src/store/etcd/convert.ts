/** Between the store's words and etcd's messages. Pure. */
import type { Compare, Entry, Op, OpResult, SessionId } from '../store.ts';
import { compareResults, compareTargets, type InputOf, type KeyValue, type OutputOf } from './messages.ts';
import type * as m from './messages.ts';

export function leaseOf(id: SessionId): bigint {
  return BigInt.asIntN(64, BigInt(`0x${id}`));
}

export function sessionOf(lease: bigint): SessionId {
  return BigInt.asUintN(64, lease).toString(16) as SessionId;
}

export function entryOf({ key, value, createRevision, modRevision, version, lease }: KeyValue): Entry {
  // Copied: what was read is a view of the whole message, which a small value that is kept would keep as well.
  const entry = { key: Buffer.from(key).toString(), value: Buffer.from(value), createRevision, modRevision, version };
  return lease === 0n ? entry : { ...entry, session: sessionOf(lease) };
}

/** etcd's range of all keys that begin with `prefix`; `after`: only those beyond it. */
export function rangeOf(prefix: string, after?: string): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  const first = Buffer.from(prefix === '' ? '\0' : prefix);
  const beyond = after === undefined ? first : Buffer.from(`${after}\0`);
  return { key: Buffer.compare(beyond, first) > 0 ? beyond : first, rangeEnd: endOf(prefix) };
}

/** The first key beyond all that begin with `prefix`; '\0' is etcd's for no end. UTF-8 has no byte 255, so the last can be raised. */
function endOf(prefix: string): Uint8Array {
  if (prefix === '') return Buffer.from('\0');
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

export function compareMessage(compare: Compare): InputOf<typeof m.compare> {
  const common = {
    key: Buffer.from(compare.key),
    result: compareResults[compare.is ?? '='],
    target: compareTargets[compare.on],
  };
  switch (compare.on) {
    case 'create':
      return { ...common, createRevision: compare.to };
    case 'mod':
      return { ...common, modRevision: compare.to };
    case 'version':
      return { ...common, version: compare.to };
    case 'value':
      return { ...common, value: compare.to };
    default:
      return { ...common, lease: compare.to === undefined ? 0n : leaseOf(compare.to) };
  }
}

export function opMessage(op: Op): InputOf<typeof m.requestOp> {
  switch (op.op) {
    case 'put': {
      const lease = op.session === undefined ? {} : { lease: leaseOf(op.session) };
      return { put: { key: Buffer.from(op.key), value: op.value, ...lease } };
    }
    case 'delete':
      return { deleteRange: { key: Buffer.from(op.key) } };
    case 'deletePrefix':
      return { deleteRange: rangeOf(op.prefix) };
    case 'get':
      return { range: { key: Buffer.from(op.key) } };
    default:
      return { range: { ...rangeOf(op.prefix), limit: BigInt(op.limit ?? 0), keysOnly: op.keysOnly ?? false } };
  }
}

export function resultOf(op: Op, response: OutputOf<typeof m.responseOp> | undefined): OpResult {
  switch (op.op) {
    case 'put':
      return { op: 'put' };
    case 'delete':
    case 'deletePrefix':
      return { op: op.op, deleted: Number(response?.deleteRange?.deleted ?? 0n) };
    case 'get': {
      const [kv] = response?.range?.kvs ?? [];
      return kv === undefined ? { op: 'get' } : { op: 'get', entry: entryOf(kv) };
    }
    default:
      return { op: 'list', entries: (response?.range?.kvs ?? []).map(entryOf), more: response?.range?.more ?? false };
  }
}
