/**
 * What a failed call means for who made it: whether a write was certainly not applied, or may have been. Pure. It is decided here alone,
 * from three things: was the request handed to a connection, did it ask for a change, and what gRPC or etcd said
 * (https://grpc.io/docs/guides/status-codes/; etcd's own texts: api/v3rpc/rpctypes/error.go).
 */

/** gRPC's status codes, as far as they decide something. */
export const grpcStatus = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** How one attempt of one call at one endpoint ended. */
export interface Failure {
  /** As etcd or gRPC says it. */
  readonly details: string;
  readonly code: number;
  /** The request was given to a connection; false: it never left. */
  readonly wasSent: boolean;
}

export type Meaning =
  /** Certainly not applied; another endpoint may do better. */
  | 'unavailable'
  /** Certainly not applied, and no endpoint will do better. */
  | 'refused'
  /** Certainly not applied: etcd does not know who asks. A new token may do better. */
  | 'tokenRefused'
  /** A write that may have been applied. */
  | 'unknown'
  | 'tooLarge'
  | 'compacted'
  | 'misuse'
  | 'sessionLost';

/** Texts that settle it by themselves: what etcd found before it did anything, or in place of doing it. */
const settled: readonly (readonly [text: string, meaning: Meaning])[] = [
  ['required revision has been compacted', 'compacted'],
  ['required revision is a future revision', 'misuse'],
  ['requested lease not found', 'sessionLost'],
  ['request is too large', 'tooLarge'],
  ['too many operations in txn request', 'tooLarge'],
  ['received message larger than max', 'tooLarge'],
  ['Received message larger than max', 'tooLarge'],
  ['trying to send message larger than max', 'tooLarge'],
  ['duplicate key given in txn request', 'misuse'],
  ['key is not provided', 'misuse'],
  ['too large lease TTL', 'misuse'],
  // All of them before anything is done, or in place of doing it (etcd's auth/store.go and apply_auth.go).
  ['invalid auth token', 'tokenRefused'],
  ['user name is empty', 'tokenRefused'],
  ['revision of auth store is old', 'tokenRefused'],
  ['authentication failed', 'refused'],
  ['permission denied', 'refused'],
  // Asked for with the hasleader metadata, and answered before the request is looked at.
  ['etcdserver: no leader', 'unavailable'],
  // Both before the request is proposed to the others.
  ['etcdserver: too many requests', 'unavailable'],
  ['rpc not supported for learner', 'unavailable'],
  // grpc-js: no connection, so nothing was written to one.
  ['No connection established', 'unavailable'],
  ['Name resolution failed', 'unavailable'],
];

export function meaningOf({ code, details, wasSent }: Failure, isWrite: boolean): Meaning {
  const text = settled.find(([part]) => details.includes(part));
  // A read's answer can be too large as well, which only the one who asked can mend.
  if (text !== undefined) return text[1];
  switch (code) {
    case grpcStatus.invalidArgument:
      return 'misuse';
    case grpcStatus.permissionDenied:
    case grpcStatus.unauthenticated:
    case grpcStatus.unimplemented:
      return 'refused';
    default:
      // Also etcd's "database space exceeded": it is told by members that have applied the write, too.
      return isWrite && wasSent ? 'unknown' : 'unavailable';
  }
}
