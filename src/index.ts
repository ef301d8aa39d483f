/** The public face of nsh for programs: a cluster, its nodes, its processes. What is not exported here may change. */
export { connectCluster } from './cluster/connect.ts';
export type { Caller } from './cluster/own-agent.ts';
export type { CallOptions, ClusterClient, NodeAnswer } from './cluster/cluster-client.ts';
export type { ClusterSpec, NodeSpec } from './cluster/node-spec.ts';
export { loadCluster, resolveNodes } from './cluster/file/index.ts';
export { makeGpid, splitGpid, toGpid, type Gpid, type GpidParts, type LocalPid, type NodeId } from './ids/gpid.ts';
export { expandNodeset, foldNames } from './ids/nodeset/index.ts';
export { errorCodes, NshError, type ErrorCode } from './protocol/errors.ts';
export type { FanoutMethod, NodeInfo, NodeStatus, Params, PromptParams, Result } from './protocol/control.ts';
export type {
  CallOptions as StoreCallOptions,
  Compare,
  Entry,
  ListOptions,
  Op,
  OpResult,
  SessionId,
  Store,
  StoreSession,
  StoreStatus,
  TxnResult,
  WatchBatch,
  WatchEvent,
} from './store/store.ts';
export type { ExitStatus, ManagedProcess, ProcessRef, ProcessTable, RawColumn } from './protocol/process.ts';
export { passBarrier, type Passed } from './coordination/barrier.ts';
export { readClaims, type ClaimState } from './coordination/claims.ts';
export { addToCounter, changeCounter, readCounter, type Count } from './coordination/counter.ts';
export { findDeadlocks } from './coordination/deadlock.ts';
export { campaign, observeLeader, type Leader } from './coordination/election.ts';
export type { Hold } from './coordination/hold.ts';
export { deleteValue, getValue, listValues, putValue, watchValues, type KeptValue } from './coordination/key-value.ts';
export { acquireLock, type LockOptions } from './coordination/lock.ts';
export { awaitName, findName, listNames, registerName, watchName, type NamedParty } from './coordination/names.ts';
export type { Participant } from './coordination/participant.ts';
export type { Party } from './coordination/party.ts';
export { acquireSemaphore } from './coordination/semaphore.ts';
export type { TurnOptions } from './coordination/turn.ts';
