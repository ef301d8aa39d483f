/** The cluster client over this machine's agent. Where that agent dies it is started again with the next call. */
import type { Duplex } from 'node:stream';
import type { AnswerParams, FanoutMethod, NodeStatus, Params, Result } from '../protocol/control.ts';
import { fromWireError, NshError, toNshError } from '../protocol/errors.ts';
import { defaultDeadlineMs } from '../protocol/limits.ts';
import { openLocalSocket } from '../link/unix-socket.ts';
import { askAgainAndAgain, whileAlive } from '../rpc/heartbeat.ts';
import type { RpcPeer } from '../rpc/peer.ts';
import { callMethod, checkResult } from '../rpc/typed.ts';
import type { Store } from '../store/store.ts';
import { AnswerQueue } from './answer-queue.ts';
import type { CallOptions, ClusterClient, NodeAnswer } from './cluster-client.ts';
import { DirectLinks } from './direct-links.ts';
import type { ClusterSpec, NodeSpec } from './node-spec.ts';
import { connectOwnAgent, findSelf, greet, localhost, openOwnPeer, silentAgentPid, type Caller } from './own-agent.ts';
import { readStart } from './this-machine.ts';

/** Methods that change nothing: asked again where this machine's agent died under them. */
const repeatable: ReadonlySet<FanoutMethod> = new Set(['info', 'ps', 'find', 'wait', 'screen', 'status']);

/** For so long an agent that was found standing still is not asked again: finding out takes 10 s each time. */
const silenceMemoryMs = 5_000;

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
  readonly #directLinks: DirectLinks;
  readonly #stores = new Set<Store>();
  #nextCall = 1;
  #peer: Promise<RpcPeer> | undefined;
  #silence: { readonly error: NshError; readonly atMs: number } | undefined;
  #isClosed = false;

  constructor(spec: ClusterSpec, caller: Caller) {
    this.spec = spec;
    this.self = findSelf(spec, caller.env);
    this.nodes = spec.file === undefined ? [localhost] : spec.nodes;
    this.#caller = caller;
    this.#directLinks = new DirectLinks({ spec, env: caller.env, status: () => this.status() });
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
    let hasAnswer = false;
    for (let attempt = 1; waiting.size > 0; attempt++) {
      // That this machine's agent cannot be reached is no node's fault: it is thrown, not told once for each node.
      const peer = await this.#connect(options.mayStartAgent);
      try {
        for await (const answer of this.#ask(peer, [...waiting.values()], method, params, options)) {
          const node = waiting.get(answer.node);
          if (node === undefined || !waiting.delete(answer.node)) continue;
          hasAnswer = true;
          yield toAnswer(node, method, answer);
        }
        break;
      } catch (error) {
        const known = toNshError(error);
        if (known.code === 'linkLost' && attempt < 3 && repeatable.has(method)) continue;
        if (!hasAnswer && silentAgentPid(known) !== undefined) throw known;
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
    if (node.id === this.self.id) return await openLocalSocket(node.name, socket);
    return (
      (await this.#directLinks.dialIfBusy(node, socket, signal)) ?? (await this.#dialThroughAgent(node, socket, signal))
    );
  }

  async #dialThroughAgent(node: NodeSpec, socket: string, signal: AbortSignal): Promise<Duplex> {
    this.#throwFreshSilence();
    const peer = await openOwnPeer(this.spec, this.self, this.#caller);
    try {
      // Both at once: a stream costs one round trip less.
      const greeting = greet(peer, this.spec, this.self, this.#caller);
      const dialling = peer.requestUpgrade('dial', { node: node.id, socket }, { signal });
      // Nothing may follow a `dial` on its own connection: that the agent lives is asked on the other one.
      const both = Promise.all([greeting, dialling]);
      const [, { stream, head }] = await whileAlive(both, this.#ping, isSilence);
      if (head.length > 0) stream.unshift(head);
      return this.#watched(stream);
    } catch (error) {
      peer.close();
      throw this.#noteSilence(error);
    }
  }

  /** A stream through this machine's agent fails where that stands still, as it does where that dies. */
  #watched(stream: Duplex & { readonly bytesRead?: number }): Duplex {
    let read = -1;
    const isQuiet = (): boolean => {
      const before = read;
      read = stream.bytesRead ?? 0;
      return read === before;
    };
    const stop = askAgainAndAgain(this.#ping, isSilence, (error) => stream.destroy(error), isQuiet);
    return stream.once('close', stop);
  }

  readonly #ping = async (): Promise<unknown> => await callMethod(await this.#connect(), 'ping', {});

  dialDirectly(node: NodeSpec, socket: string, signal: AbortSignal): Promise<Duplex> {
    return this.#directLinks.openSocket(node, socket, signal);
  }

  async store(signal?: AbortSignal, onNote?: (note: string) => void): Promise<Store> {
    const { note } = await callMethod(await this.#connect(), 'store.open', {}, signal === undefined ? {} : { signal });
    if (note !== undefined) onNote?.(note);
    const [{ ClientStore }, { RemoteStore }] = await Promise.all([
      import('../store/client-store.ts'),
      import('../store/remote-store.ts'),
    ]);
    const remote = new RemoteStore({ who: 'the agent of this machine', connect: () => this.#connect() });
    const store = new ClientStore(remote, () => this.#stores.delete(store));
    this.#stores.add(store);
    return store;
  }

  close(): void {
    this.#isClosed = true;
    for (const store of this.#stores) void store.close();
    this.#directLinks.close();
    void this.#peer?.then(
      (peer) => peer.close(),
      () => undefined,
    );
  }

  async #connect(mayStart = true): Promise<RpcPeer> {
    if (this.#isClosed) throw new NshError('cancelled', 'the cluster client is closed');
    if (this.#peer === undefined) {
      this.#throwFreshSilence();
      const connecting = this.#open(mayStart);
      this.#peer = connecting;
      const forget = (error: unknown): void => {
        this.#noteSilence(error);
        if (this.#peer === connecting) this.#peer = undefined;
      };
      connecting.then((peer) => peer.closed.then(forget), forget);
    }
    return await this.#peer;
  }

  /** @returns what it was given. */
  #noteSilence(error: unknown): unknown {
    if (error instanceof NshError && silentAgentPid(error) !== undefined && this.#silence?.error !== error)
      this.#silence = { error, atMs: performance.now() };
    return error;
  }

  /** Unless that agent has ended meanwhile. */
  #throwFreshSilence(): void {
    if (this.#silence === undefined || performance.now() - this.#silence.atMs > silenceMemoryMs) return;
    const pid = silentAgentPid(this.#silence.error) ?? 0;
    if (pid === 0 || readStart(pid) !== undefined) throw this.#silence.error;
  }

  async #open(mayStart: boolean): Promise<RpcPeer> {
    const may = mayStart && this.#caller.mayStart !== false;
    const handlers = {
      onNotification: (method: string, params: unknown): void => {
        if (method === 'answer') this.#onAnswer(params as AnswerParams);
      },
      onBadLine: (line: Buffer, error: NshError): boolean => this.#onBadAnswer(line, error),
    };
    return (await connectOwnAgent(this.spec, this.self, { ...this.#caller, mayStart: may }, handlers)).peer;
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

function isSilence(error: NshError): boolean {
  return silentAgentPid(error) !== undefined;
}

function toAnswer<M extends FanoutMethod>(node: NodeSpec, method: M, answer: AnswerParams): NodeAnswer<Result<M>> {
  try {
    if (answer.error !== undefined) return { node, error: fromWireError(answer.error) };
    return { node, result: checkResult(method, answer.result, node.name) };
  } catch (error) {
    return { node, error: toNshError(error) };
  }
}
