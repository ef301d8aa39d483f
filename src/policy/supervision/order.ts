/** What the leader and the agents say to each other through the store: orders, one for each node and group, and the node's reports. */
import type { End } from './end.ts';
import type { GroupSpec } from './spec.ts';

export interface OrderedSlot {
  readonly slot: number;
  /** A key of `versions`. */
  readonly version: string;
  /** Of a group whose restarts the leader decides: start it where its run is below this. 0: leave it as it is. Default 1. */
  readonly run?: number;
  /** It has ended for good, or is held: a node that knows nothing of it does not start it. */
  readonly rests?: 'ended' | 'held';
}

/** All that one node has to do for one group. A later order replaces it. */
export interface Order {
  readonly group: string;
  /** Create revision of the leader's key, or more (epoch.ts): a later leader has a higher one. */
  readonly epoch: bigint;
  /** Modification revision of the order: a later order of the same leader has a higher one. */
  readonly serial: bigint;
  /** How the group is supervised now. */
  readonly spec: GroupSpec;
  /** What the process of each version in `slots` is. */
  readonly versions: ReadonlyMap<string, GroupSpec>;
  /** What this node is to run; empty: it ends what it runs of the group. */
  readonly slots: readonly OrderedSlot[];
  /**
   * Who restarts. `node`: this one, by the group's rules, over the replicas that it has; it does so without leader and store, too. `leader`:
   * this node only obeys: a strategy that ties replicas of several nodes together can be carried out by one that sees them all.
   */
  readonly scope: 'node' | 'leader';
  /** Goes up when a person starts or restarts the group: restarts of former rounds do not count. */
  readonly round: number;
}

export interface ReplicaReport {
  readonly slot: number;
  readonly run: number;
  readonly version: string;
  /** `waiting`: it is started again after a pause. Others as in replica.ts and group.ts. */
  readonly phase: 'down' | 'waiting' | 'starting' | 'ready' | 'unready' | 'stopping' | 'ended' | 'held';
  /** How it ended last, if it has. */
  readonly end?: End;
  /** With `end`: it was told to. */
  readonly asked?: boolean;
  /** Of its process on the node, while it runs; added by the runtime. */
  readonly pid?: number;
  /** When that process was started, Unix ms; added by the runtime. */
  readonly sinceMs?: number;
}

/** What a node has of a group, complete; a later report replaces it. */
export interface GroupReport {
  readonly group: string;
  /** Of the order that is carried out. */
  readonly epoch: bigint;
  readonly serial: bigint;
  readonly round: number;
  /** By slot. One that is gone is missing. */
  readonly replicas: readonly ReplicaReport[];
  /** Restarts that this node has decided in this round. */
  readonly restarted: number;
  /** Why this node has stopped what it had of the group. */
  readonly failed?: string;
  /** The newest order was refused; one of this epoch or a higher one would not be. */
  readonly leastEpoch?: bigint;
}
