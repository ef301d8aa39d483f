/** The methods of etcd's v3 API that the store calls: where each is, and the messages it takes and gives. */
import * as m from './messages.ts';
import type { Input, Message, Output } from './wire.ts';

export interface Method<I, O> {
  /** gRPC's path: `/package.Service/Method` */
  readonly path: string;
  readonly encode: (value: I) => Buffer;
  readonly decode: (bytes: Uint8Array) => O;
}

function method<I, O>(path: string, request: Message<I>, response: Message<O>): Method<Input<I>, Output<O>> {
  return {
    path: `/etcdserverpb.${path}`,
    encode: (value) => request.encode(value),
    decode: (bytes) => response.decode(bytes),
  };
}

export const range = method('KV/Range', m.rangeRequest, m.rangeResponse);
export const put = method('KV/Put', m.putRequest, m.putResponse);
export const deleteRange = method('KV/DeleteRange', m.deleteRangeRequest, m.deleteRangeResponse);
export const txn = method('KV/Txn', m.txnRequest, m.txnResponse);
export const compact = method('KV/Compact', m.compactionRequest, m.compactionResponse);
/** Both ways a stream. */
export const watch = method('Watch/Watch', m.watchRequest, m.watchResponse);
export const leaseGrant = method('Lease/LeaseGrant', m.leaseGrantRequest, m.leaseGrantResponse);
export const leaseRevoke = method('Lease/LeaseRevoke', m.leaseRevokeRequest, m.leaseRevokeResponse);
/** Both ways a stream. */
export const leaseKeepAlive = method('Lease/LeaseKeepAlive', m.leaseKeepAliveRequest, m.leaseKeepAliveResponse);
export const leaseTimeToLive = method('Lease/LeaseTimeToLive', m.leaseTimeToLiveRequest, m.leaseTimeToLiveResponse);
export const status = method('Maintenance/Status', m.statusRequest, m.statusResponse);
export const authenticate = method('Auth/Authenticate', m.authenticateRequest, m.authenticateResponse);
export const memberList = method('Cluster/MemberList', m.memberListRequest, m.memberListResponse);
