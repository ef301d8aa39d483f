/** Asks the nodes again and again what runs on them. A node that owes an answer is not asked anew; the others go on meanwhile. */
import type { CallOptions, ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { FanoutMethod, Params, Result } from '../../src/protocol/control.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import { newNode, withFailure, withInfo, withTable, type NodeState } from './nodes.ts';
import { taskColumns } from './task.ts';

export class Sampler {
  readonly #client: Pick<ClusterClient, 'fanout'>;
  readonly #states: Map<number, NodeState>;
  /** Answers that each node still owes. */
  readonly #owed = new Map<number, number>();
  readonly #abort = new AbortController();
  readonly #onAnswer: () => void;

  /** @param onAnswer something is known that was not. */
  constructor(client: Pick<ClusterClient, 'fanout'>, nodes: readonly NodeSpec[], onAnswer: () => void) {
    this.#client = client;
    this.#states = new Map(nodes.map((node) => [node.id, newNode(node)]));
    this.#onAnswer = onAnswer;
  }

  /** In the order of the nodes. */
  get states(): readonly NodeState[] {
    return [...this.#states.values()];
  }

  /** One sample of every node that is free to answer; resolves when each has, or has run out of its deadline. Never rejects. */
  async sample(): Promise<void> {
    const nodes = this.states.map(({ node }) => node).filter(({ id }) => (this.#owed.get(id) ?? 0) === 0);
    if (nodes.length === 0 || this.#abort.signal.aborted) return;
    for (const { id } of nodes) this.#owed.set(id, 2);
    await Promise.all([
      this.#ask(nodes, 'ps', { columns: [...taskColumns], select: 'all' }, withTable),
      this.#ask(nodes, 'info', {}, withInfo),
    ]);
  }

  close(): void {
    this.#abort.abort();
  }

  async #ask<M extends FanoutMethod>(
    nodes: readonly NodeSpec[],
    method: M,
    params: Params<M>,
    take: (state: NodeState, result: Result<M>) => NodeState,
  ): Promise<void> {
    const waiting = new Set(nodes.map(({ id }) => id));
    const settle = (id: NodeSpec['id'], change: (state: NodeState) => NodeState): void => {
      const state = this.#states.get(id);
      if (!waiting.delete(id) || state === undefined || this.#abort.signal.aborted) return;
      this.#owed.set(id, (this.#owed.get(id) ?? 1) - 1);
      this.#states.set(id, change(state));
      this.#onAnswer();
    };
    const options: CallOptions = { signal: this.#abort.signal };
    try {
      for await (const { node, result, error } of this.#client.fanout(nodes, method, params, options)) {
        if (error === undefined) settle(node.id, (state) => take(state, result));
        else settle(node.id, (state) => withFailure(state, error.message));
      }
    } catch (error) {
      // This machine's agent cannot be asked: that is why nobody answers.
      const { message } = toNshError(error);
      for (const id of waiting) settle(id, (state) => withFailure(state, message));
    }
  }
}
