/**
 * etcd's v3 API, trimmed to what the store uses: field numbers from api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto of etcd 3.4 to 3.6,
 * which only ever adds to them. Names are those of the .proto in camel case.
 */
import {
  bool,
  bytes,
  int32,
  int64,
  message,
  nested,
  repeated,
  string,
  uint64,
  type Input,
  type Output,
} from './wire.ts';

export const responseHeader = message({
  clusterId: uint64(1),
  memberId: uint64(2),
  revision: int64(3),
  raftTerm: uint64(4),
});

export const keyValue = message({
  key: bytes(1),
  createRevision: int64(2),
  modRevision: int64(3),
  version: int64(4),
  value: bytes(5),
  lease: int64(6),
});
export type KeyValue = OutputOf<typeof keyValue>;

export const rangeRequest = message({
  key: bytes(1),
  rangeEnd: bytes(2),
  limit: int64(3),
  revision: int64(4),
  /** A read of this member alone, which may be stale: the store never asks for it. */
  serializable: bool(7),
  keysOnly: bool(8),
  countOnly: bool(9),
});
export const rangeResponse = message({
  header: nested(1, responseHeader),
  kvs: repeated(nested(2, keyValue)),
  more: bool(3),
  count: int64(4),
});

export const putRequest = message({ key: bytes(1), value: bytes(2), lease: int64(3) });
export const putResponse = message({ header: nested(1, responseHeader) });

export const deleteRangeRequest = message({ key: bytes(1), rangeEnd: bytes(2) });
export const deleteRangeResponse = message({ header: nested(1, responseHeader), deleted: int64(2) });

/** One of them is set. */
export const requestOp = message({
  range: nested(1, rangeRequest),
  put: nested(2, putRequest),
  deleteRange: nested(3, deleteRangeRequest),
});
export const responseOp = message({
  range: nested(1, rangeResponse),
  put: nested(2, putResponse),
  deleteRange: nested(3, deleteRangeResponse),
});

/** Compare.CompareResult */
export const compareResults = { '=': 0, '>': 1, '<': 2, '!=': 3 } as const;
/** Compare.CompareTarget */
export const compareTargets = { version: 0, create: 1, mod: 2, value: 3, session: 4 } as const;
export const compare = message({
  result: int32(1),
  target: int32(2),
  key: bytes(3),
  version: int64(4),
  createRevision: int64(5),
  modRevision: int64(6),
  value: bytes(7),
  lease: int64(8),
});

export const txnRequest = message({
  compare: repeated(nested(1, compare)),
  success: repeated(nested(2, requestOp)),
  failure: repeated(nested(3, requestOp)),
});
export const txnResponse = message({
  header: nested(1, responseHeader),
  succeeded: bool(2),
  responses: repeated(nested(3, responseOp)),
});

export const compactionRequest = message({ revision: int64(1), physical: bool(2) });
export const compactionResponse = message({ header: nested(1, responseHeader) });

/** mvccpb.Event; type 0 is a put, 1 a delete. */
export const event = message({ type: int32(1), kv: nested(2, keyValue), prevKv: nested(3, keyValue) });

export const watchCreateRequest = message({
  key: bytes(1),
  rangeEnd: bytes(2),
  startRevision: int64(3),
  progressNotify: bool(4),
  prevKv: bool(6),
  fragment: bool(8),
});
/** One of them is set. */
export const watchRequest = message({
  create: nested(1, watchCreateRequest),
  progress: nested(3, message({})),
});
export const watchResponse = message({
  header: nested(1, responseHeader),
  watchId: int64(2),
  created: bool(3),
  canceled: bool(4),
  compactRevision: int64(5),
  cancelReason: string(6),
  fragment: bool(7),
  events: repeated(nested(11, event)),
});
export type WatchResponse = OutputOf<typeof watchResponse>;

export const leaseGrantRequest = message({ ttl: int64(1), id: int64(2) });
export const leaseGrantResponse = message({
  header: nested(1, responseHeader),
  id: int64(2),
  ttl: int64(3),
  error: string(4),
});
export const leaseRevokeRequest = message({ id: int64(1) });
export const leaseRevokeResponse = message({ header: nested(1, responseHeader) });
export const leaseKeepAliveRequest = message({ id: int64(1) });
/** `ttl` 0: there is no such lease. */
export const leaseKeepAliveResponse = message({ header: nested(1, responseHeader), id: int64(2), ttl: int64(3) });
export const leaseTimeToLiveRequest = message({ id: int64(1) });
/** `ttl` -1: there is no such lease. */
export const leaseTimeToLiveResponse = message({
  header: nested(1, responseHeader),
  id: int64(2),
  ttl: int64(3),
  grantedTtl: int64(4),
});

export const statusRequest = message({});
export const statusResponse = message({
  header: nested(1, responseHeader),
  version: string(2),
  dbSize: int64(3),
  leader: uint64(4),
  errors: repeated(string(8)),
  isLearner: bool(10),
});
export type MemberStatus = OutputOf<typeof statusResponse>;

export const authenticateRequest = message({ name: string(1), password: string(2) });
export const authenticateResponse = message({ header: nested(1, responseHeader), token: string(2) });

export const member = message({
  id: uint64(1),
  name: string(2),
  peerUrls: repeated(string(3)),
  clientUrls: repeated(string(4)),
  isLearner: bool(5),
});
export const memberListRequest = message({ linearizable: bool(1) });
export const memberListResponse = message({ header: nested(1, responseHeader), members: repeated(nested(2, member)) });

export type InputOf<M> = M extends { encode(value: infer I): unknown } ? I : never;
export type OutputOf<M> = M extends { decode(bytes: Uint8Array): infer O } ? O : never;
export type { Input, Output };
