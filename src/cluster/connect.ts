/** The cluster client over this machine's agent. Where that agent dies it is started again with the next call. */
import type { Duplex } from 'node:stream';
import type { AnswerParams, FanoutMethod, NodeStatus, Params, Result } from '../protocol/control.ts';
import { fromWireError, NshError, toNshError } from '../protocol/errors.ts';
import { defaultDeadlineMs } from '../protocol/limits.ts';
import type { RpcPeer } from '../rpc/peer.ts';
import { callMethod, checkResult } from '../rpc/typed.ts';
import { AnswerQueue } from './answer-queue.ts';
import type { CallOptions, ClusterClient, NodeAnswer } from './cluster-client.ts';
import type { ClusterSpec, NodeSpec } from './node-spec.ts';
import { connectOwnAgent, findSelf, greet, localhost, openOwnPeer, openUnixSocket, type Caller } from './own-agent.ts';

/** Methods that change nothing: asked again where this machine's agent died under them. */
const repeatable: ReadonlySet<FanoutMethod> = new Set(['info', 'ps', 'find', 'wait', 'screen', 'status']);

/**
 * Nothing is connected before the first call.
 * @param caller.env decides where state lies (XDG_STATE_HOME, HOME) and which ssh-agent may be used (SSH_AUTH_SOCK).
 */
export function connectCluster(spec: ClusterSpec, caller: Caller): ClusterClient {
  return new AgentClusterClient(spec, caller);
}

class AgentClusterClient implements ClusterClient {
  readonly spec: ClusterSpec;
  readonly self: NodeSpec;
  readonly nodes: readonly NodeSpec[];
  readonly #caller: Caller;
  readonly #byId: ReadonlyMap<number, NodeSpec>;
  readonly #calls = new Map<number, AnswerQueue>();
  #nextCall = 1;
  #peer: Promise<RpcPeer> | undefined;
  #isClosed = false;

  constructor(spec: ClusterSpec, caller: Caller) {
    this.spec = spec;
    this.self = findSelf(spec, caller.env);
    this.nodes = spec.file === undefined ? [localhost] : spec.nodes;
    this.#caller = caller;
    this.#byId = new Map([localhost, ...this.nodes].map((node) => [node.id, node]));
  }

  node(id: number): NodeSpec | undefined {
    return this.#byId.get(id);
  }

  async status(): Promise<readonly NodeStatus[]> {
    const peer = await this.#connect();
    return (await callMethod(peer, 'nodes', {}, { deadlineMs: defaultDeadlineMs })).nodes;
  }

  async call<M extends FanoutMethod>(
    node: NodeSpec,
    method: M,
    params: Params<M>,
    options: CallOptions = {},
  ): Promise<Result<M>> {
    for await (const answer of this.fanout([node], method, params, options)) {
      if (answer.error !== undefined) throw answer.error;
      return answer.result;
    }
    throw new NshError('internal', `no answer came for ${node.name}`);
  }

  async *fanout<M extends FanoutMethod>(
    nodes: readonly NodeSpec[],
    method: M,
    params: Params<M>,
    options: CallOptions = {},
  ): AsyncIterable<NodeAnswer<Result<M>>> {
    const waiting = new Map(nodes.map((node) => [node.id as number, node]));
    for (let attempt = 1; waiting.size > 0; attempt++) {
      // That this machine's agent cannot be reached is no node's fault: it is thrown, not told once for each node.
      const peer = await this.#connect();
      try {
        for await (const answer of this.#ask(peer, [...waiting.values()], method, params, options)) {
          const node = waiting.get(answer.node);
          if (node === undefined || !waiting.delete(answer.node)) continue;
          yield toAnswer(node, method, answer);
        }
        break;
      } catch (error) {
        const known = toNshError(error);
        if (known.code === 'linkLost' && attempt < 3 && repeatable.has(method)) continue;
        for (const node of waiting.values()) yield { node, error: known };
        return;
      }
    }
    for (const node of waiting.values()) {
      yield { node, error: new NshError('internal', `${node.name}: the agent of this machine gave no answer for it`) };
    }
  }

  async *#ask(
    peer: RpcPeer,
    nodes: readonly NodeSpec[],
    method: FanoutMethod,
    params: unknown,
    options: CallOptions,
  ): AsyncGenerator<AnswerParams, void, void> {
    const call = this.#nextCall++;
    const queue = new AnswerQueue();
    this.#calls.set(call, queue);
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(options.signal?.reason);
    if (options.signal?.aborted === true) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const request = {
      call,
      nodes: nodes.map((node) => node.id),
      method,
      params,
      deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
    };
    callMethod(peer, 'fanout', request, { signal: abort.signal }).then(
      () => queue.end(),
      (error: unknown) => queue.end(toNshError(error)),
    );
    try {
      yield* queue;
      // This machine's agent answers before it ends; whoever asked for that wants to see it gone.
      if (method === 'stop' && nodes.some((node) => node.id === this.self.id)) await goneWithin(peer, 5_000);
    } finally {
      this.#calls.delete(call);
      options.signal?.removeEventListener('abort', onAbort);
      abort.abort(new NshError('cancelled', 'nobody waits any more'));
    }
  }

  async dial(node: NodeSpec, socket: string, signal: AbortSignal): Promise<Duplex> {
    if (node.id === this.self.id) return await openLocal(node, socket);
    const peer = await openOwnPeer(this.spec, this.self, this.#caller);
    try {
      // Both at once: a stream costs one round trip less.
      const greeting = greet(peer, this.spec, this.self, this.#caller);
      const dialling = peer.requestUpgrade('dial', { node: node.id, socket }, { signal });
      const [, { stream, head }] = await Promise.all([greeting, dialling]);
      if (head.length > 0) stream.unshift(head);
      return stream;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    void this.#peer?.then(
      (peer) => peer.close(),
      () => undefined,
    );
  }

  #connect(): Promise<RpcPeer> {
    if (this.#isClosed) return Promise.reject(new NshError('cancelled', 'the cluster client is closed'));
    if (this.#peer === undefined) {
      const connecting = this.#open();
      this.#peer = connecting;
      const forget = (): void => {
        if (this.#peer === connecting) this.#peer = undefined;
      };
      connecting.then((peer) => peer.closed.then(forget), forget);
    }
    return this.#peer;
  }

  async #open(): Promise<RpcPeer> {
    const handlers = {
      onNotification: (method: string, params: unknown): void => {
        if (method === 'answer') this.#onAnswer(params as AnswerParams);
      },
      onBadLine: (line: Buffer, error: NshError): boolean => this.#onBadAnswer(line, error),
    };
    return (await connectOwnAgent(this.spec, this.self, this.#caller, handlers)).peer;
  }

  #onAnswer(answer: AnswerParams): void {
    this.#calls.get(answer.call)?.push(answer);
  }

  /** One node's unreadable answer must not cost those of the others: its line still says whose it is. */
  #onBadAnswer(line: Buffer, error: NshError): boolean {
    const head = /^\{"jsonrpc":"2\.0","method":"answer","params":\{"call":(\d+),"node":(\d+),/.exec(
      line.toString('latin1', 0, 120),
    );
    if (head === null) return false;
    const wire = { code: -32700, message: error.message, data: { code: error.code } };
    this.#onAnswer({ call: Number(head[1]), node: Number(head[2]), error: wire });
    return true;
  }
}

async function goneWithin(peer: RpcPeer, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([peer.closed, late]);
  clearTimeout(timer);
}

async function openLocal(node: NodeSpec, socket: string): Promise<Duplex> {
  try {
    return await openUnixSocket(socket);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new NshError('noAgent', `${node.name}: nothing listens at ${socket} (${code})`, { cause: error });
  }
}

function toAnswer<M extends FanoutMethod>(node: NodeSpec, method: M, answer: AnswerParams): NodeAnswer<Result<M>> {
  try {
    if (answer.error !== undefined) return { node, error: fromWireError(answer.error) };
    return { node, result: checkResult(method, answer.result, node.name) };
  } catch (error) {
    return { node, error: toNshError(error) };
  }
}
