/**
 * Entries and batches as bytes, for the database. All numbers are big-endian and unsigned.
 *
 *   entry   create u64, mod u64, version u64, session u64 (0: none), then the value
 *   batch   for each event: flags u8 (1: put, 2: delete; + 4: previous), key length u16, key,
 *           [length u32, entry] where it is a put, [length u32, previous entry] where there was one
 *
 * A change of this layout raises `formatVersion`.
 */
import type { Entry, SessionId, WatchBatch, WatchEvent } from '../../src/store/store.ts';

export const formatVersion = 1n;

const headBytes = 32;
const isPut = 1;
const isDelete = 2;
const hasPrevious = 4;

export function encodeEntry(entry: Entry): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + entry.value.length);
  bytes.writeBigUInt64BE(entry.createRevision, 0);
  bytes.writeBigUInt64BE(entry.modRevision, 8);
  bytes.writeBigUInt64BE(entry.version, 16);
  bytes.writeBigUInt64BE(entry.session === undefined ? 0n : sessionNumber(entry.session), 24);
  bytes.set(entry.value, headBytes);
  return bytes;
}

/** Keeps nothing of `bytes`. */
export function decodeEntry(key: string, bytes: Buffer): Entry {
  const session = bytes.readBigUInt64BE(24);
  return {
    key,
    value: Uint8Array.from(bytes.subarray(headBytes)),
    createRevision: bytes.readBigUInt64BE(0),
    modRevision: bytes.readBigUInt64BE(8),
    version: bytes.readBigUInt64BE(16),
    ...(session === 0n ? {} : { session: sessionId(session) }),
  };
}

export function encodeBatch({ events }: WatchBatch): Buffer {
  const parts: Buffer[] = [];
  for (const event of events) {
    const key = Buffer.from(event.key);
    const head = Buffer.allocUnsafe(3);
    head.writeUInt8((event.type === 'put' ? isPut : isDelete) + (event.previous === undefined ? 0 : hasPrevious));
    head.writeUInt16BE(key.length, 1);
    parts.push(head, key);
    if (event.type === 'put') parts.push(...withLength(encodeEntry(event.entry)));
    if (event.previous !== undefined) parts.push(...withLength(encodeEntry(event.previous)));
  }
  return Buffer.concat(parts);
}

export function decodeBatch(revision: bigint, bytes: Buffer): WatchBatch {
  const events: WatchEvent[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const flags = take(1).readUInt8();
    const key = take(take(2).readUInt16BE()).toString();
    const entryOf = (): Entry => decodeEntry(key, take(take(4).readUInt32BE()));
    const entry = (flags & isPut) === 0 ? undefined : entryOf();
    const was = (flags & hasPrevious) === 0 ? {} : { previous: entryOf() };
    events.push(entry === undefined ? { type: 'delete', key, ...was } : { type: 'put', key, entry, ...was });
  }
  return { revision, events };
}

export function encodeNumber(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

export function sessionNumber(id: SessionId): bigint {
  return BigInt(`0x${id}`);
}

export function sessionId(value: bigint): SessionId {
  return value.toString(16) as SessionId;
}

function withLength(bytes: Buffer): [Buffer, Buffer] {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}
