/** What is known of each node: its newest answers, or why there are none. Pure: the sampler feeds it. */
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { NodeInfo } from '../../src/protocol/control.ts';
import type { ProcessTable } from '../../src/protocol/process.ts';
import type { TickReading } from './rates.ts';
import { readTasks, type Task } from './task.ts';

export interface NodeState {
  readonly node: NodeSpec;
  readonly info?: NodeInfo;
  readonly tasks: readonly Task[];
  readonly reading?: TickReading;
  /** Why it does not answer; what it said before is not shown any more. */
  readonly failure?: string;
}

export function newNode(node: NodeSpec): NodeState {
  return { node, tasks: [] };
}

export function withTable(state: NodeState, table: ProcessTable): NodeState {
  const { tasks, reading } = readTasks(state.node, table, state.reading);
  const { failure: _, ...rest } = state;
  return { ...rest, tasks, reading };
}

export function withInfo(state: NodeState, info: NodeInfo): NodeState {
  return { ...state, info };
}

/** @param reason escaped by whoever shows it. */
export function withFailure({ node }: NodeState, reason: string): NodeState {
  const prefix = `${node.name}: `;
  return { node, tasks: [], failure: reason.startsWith(prefix) ? reason.slice(prefix.length) : reason };
}

export function isUp({ info, reading, failure }: NodeState): boolean {
  return failure === undefined && (info !== undefined || reading !== undefined);
}
