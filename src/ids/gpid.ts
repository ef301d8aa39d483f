/**
 * Cluster PIDs. A GPID is `node id * 10^7 + local PID`, so it names node and process without any look-up:
 * Linux PIDs are at most 4194304 (PID_MAX_LIMIT, proc(5)). On node 0, the machine that is in no cluster file,
 * the GPID is the local PID itself.
 */

declare const brand: unique symbol;

/** 0 for "this machine, not in the cluster file", else 1 to 99,999. */
export type NodeId = number & { readonly [brand]: 'NodeId' };
/** A PID as the node's own kernel gave it, 1 to 4194304. */
export type LocalPid = number & { readonly [brand]: 'LocalPid' };
/** A PID that is unique in the cluster. */
export type Gpid = number & { readonly [brand]: 'Gpid' };

export const maxNodeId = 99_999;
export const maxLocalPid = 4_194_304;
const stride = 10_000_000;

export const selfNode = 0 as NodeId;

export function isNodeId(value: number): value is NodeId {
  return Number.isInteger(value) && value >= 0 && value <= maxNodeId;
}

export function isLocalPid(value: number): value is LocalPid {
  return Number.isInteger(value) && value >= 1 && value <= maxLocalPid;
}

/** @throws RangeError where `value` is no node id: a programming error, never a person's input. */
export function nodeId(value: number): NodeId {
  if (!isNodeId(value)) throw new RangeError(`not a node id: ${value}`);
  return value;
}

/** @throws RangeError where `value` is no local PID. */
export function localPid(value: number): LocalPid {
  if (!isLocalPid(value)) throw new RangeError(`not a local PID: ${value}`);
  return value;
}

export function makeGpid(node: NodeId, pid: LocalPid): Gpid {
  return (node * stride + pid) as Gpid;
}

/** GPID of any PID-like number of a node; 0 (no parent, no session, the kernel) stays 0 on every node. */
export function toGpid(node: NodeId, pid: number): number {
  return pid <= 0 ? 0 : node * stride + pid;
}

export interface GpidParts {
  readonly node: NodeId;
  readonly pid: LocalPid;
}

/** Decodes a GPID; undefined where no process of any node can have that number. */
export function splitGpid(gpid: number): GpidParts | undefined {
  if (!Number.isSafeInteger(gpid) || gpid <= 0) return undefined;
  const node = Math.floor(gpid / stride);
  const pid = gpid % stride;
  return isNodeId(node) && isLocalPid(pid) ? { node, pid } : undefined;
}
