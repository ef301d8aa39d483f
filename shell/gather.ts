/**
 * Asks many nodes and gathers what comes. A node that fails is named on stderr with the reason as soon as that is known; the
 * others are shown, and the command ends with status 3.
 */
import type { CallOptions, ClusterClient } from '../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../src/cluster/node-spec.ts';
import type { FanoutMethod, Params, Result } from '../src/protocol/control.ts';
import type { NshError } from '../src/protocol/errors.ts';
import type { CommandContext } from './command.ts';
import { escapeLines } from './escape.ts';

/** Exit status of ps, pgrep, pkill and nodes where a node did not answer. */
export const incompleteStatus = 3;

export interface Gathered<T> {
  /** In the order of the nodes asked. */
  readonly results: readonly { readonly node: NodeSpec; readonly result: T }[];
  readonly failures: readonly { readonly node: NodeSpec; readonly error: NshError }[];
}

export async function gather<M extends FanoutMethod>(
  client: ClusterClient,
  nodes: readonly NodeSpec[],
  method: M,
  params: Params<M>,
  options: CallOptions = {},
): Promise<Gathered<Result<M>>> {
  const results = new Map<number, { node: NodeSpec; result: Result<M> }>();
  const failures: { node: NodeSpec; error: NshError }[] = [];
  for await (const answer of client.fanout(nodes, method, params, options)) {
    if (answer.error === undefined) results.set(answer.node.id, { node: answer.node, result: answer.result });
    else failures.push({ node: answer.node, error: answer.error });
  }
  return { results: nodes.flatMap((node) => results.get(node.id) ?? []), failures };
}

/** `nsh ps: web3: connection refused` for each, in the order in which they failed. */
export function tellFailures(context: CommandContext, command: string, failures: Gathered<unknown>['failures']): void {
  for (const failure of failures) context.stderr.write(`nsh ${command}: ${describeFailure(failure)}\n`);
}

/** The reason with the node's name in front, made harmless for a terminal. */
export function describeFailure({ node, error }: { readonly node: NodeSpec; readonly error: NshError }): string {
  const hasName = error.message.startsWith(`${node.name}:`);
  return escapeLines(hasName ? error.message : `${node.name}: ${error.message}`);
}
