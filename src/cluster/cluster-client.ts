/**
 * What a program can ask of a cluster. One connection to the agent of this machine, which keeps the links to all others.
 * Implemented in cluster/connect.ts; the shell and the SDK use nothing below it.
 */
import type { Duplex } from 'node:stream';
import type { FanoutMethod, NodeStatus, Params, Result } from '../protocol/control.ts';
import type { NshError } from '../protocol/errors.ts';
import type { Store } from '../store/store.ts';
import type { ClusterSpec, NodeSpec } from './node-spec.ts';

export interface CallOptions {
  /** ms from the moment the node's link is up; default 5,000; 0: none. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** False: where no agent runs on this machine none is started; `noAgent` with data.notRunning is thrown. Default true. */
  readonly mayStartAgent?: boolean;
}

/** One node's answer: a result or an error, never neither. */
export type NodeAnswer<T> =
  | { readonly node: NodeSpec; readonly result: T; readonly error?: undefined }
  | { readonly node: NodeSpec; readonly error: NshError; readonly result?: undefined };

export interface ClusterClient {
  readonly spec: ClusterSpec;
  /** The node that this machine is; 0 where it is in no cluster file. */
  readonly self: NodeSpec;
  /** Nodes of the cluster in order of id: those of the cluster file, or this machine alone. */
  readonly nodes: readonly NodeSpec[];
  /** By id, this machine (0) included. */
  node(id: number): NodeSpec | undefined;
  /** Link states as they stand; opens none. */
  status(): Promise<readonly NodeStatus[]>;
  /** @throws NshError: the node's own, or why it could not be reached (`unreachable`, `timeout`, …), naming the node. */
  call<M extends FanoutMethod>(node: NodeSpec, method: M, params: Params<M>, options?: CallOptions): Promise<Result<M>>;
  /**
   * Answers as they come, one for each node, each within its deadline. Breaking off cancels the rest.
   * @throws NshError where this machine's agent cannot be asked, or stops before the first answer; later its end is that of each node
   *   that has not answered.
   */
  fanout<M extends FanoutMethod>(
    nodes: readonly NodeSpec[],
    method: M,
    params: Params<M>,
    options?: CallOptions,
  ): AsyncIterable<NodeAnswer<Result<M>>>;
  /**
   * A byte stream to a Unix socket of a node: a shim's, as `run` and `find` name it. It comes paused: `resume` it once somebody listens.
   * Reconnects to this machine's agent where that has died.
   */
  dial(node: NodeSpec, socket: string, signal: AbortSignal): Promise<Duplex>;
  /**
   * The same over an SSH connection of this process's own, kept until `close`: slow to open, faster to use. It asks nobody.
   * @throws NshError where the node cannot be logged in to without asking; also where its link through the agent is not up.
   */
  dialDirectly(node: NodeSpec, socket: string, signal: AbortSignal): Promise<Duplex>;
  /**
   * The coordination store of the cluster, through this machine's agent. Waits for the login that it may take, without a deadline; the store
   * is closed by whoever asked for it, and by `close`.
   * @param onNote is told what a person should know where the cluster file has named another store in the last 24 hours.
   * @throws NshError: why it cannot be reached: `storeUnavailable`, or that of the node that holds it (`authFailed`, `unreachable`, …).
   */
  store(signal?: AbortSignal, onNote?: (note: string) => void): Promise<Store>;
  close(): void;
}
