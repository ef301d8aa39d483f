/** One control connection: nothing is answered before its hello, and what it asks is done on behalf of its caller. */
import type { Duplex } from 'node:stream';
import { bootIdentity } from '../../src/cluster/this-machine.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { programBuild } from '../../src/cluster/programs.ts';
import { openLocalSocket } from '../../src/link/unix-socket.ts';
import { promptResult, type CheckedParams, type MethodName, type Result } from '../../src/protocol/control.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import { maxRequestBytes } from '../../src/protocol/limits.ts';
import { agreeOnVersion, programVersion, protocolVersions } from '../../src/protocol/version.ts';
import { RpcPeer, Upgrade, type RequestContext } from '../../src/rpc/peer.ts';
import { check, dispatch, type Handlers } from '../../src/rpc/typed.ts';
import { StoreServer } from '../../src/store/store-server.ts';
import type { ClusterLinks } from './cluster-links.ts';
import { fanout } from './fanout.ts';
import type { Requester } from './link-context.ts';
import type { NodeService } from './node-service.ts';
import { joinStreams } from './join-streams.ts';
import type { StoreAccess } from './store-access.ts';
import type { Supervision } from '../supervision/supervision.ts';

export interface ConnectionOptions {
  readonly links: ClusterLinks;
  readonly service: NodeService;
  readonly store: StoreAccess;
  readonly supervision: Supervision;
}

/** As it was when this agent started. */
const build = programBuild();

export class Connection {
  readonly peer: RpcPeer;
  readonly #options: ConnectionOptions;
  #hello: CheckedParams<'hello'> | undefined;
  /** Requests may come right behind the hello: they wait for it. */
  #greeting: Promise<unknown> | undefined;
  /** The client goes by a cluster file that this agent cannot use: it may still ask how the agent is, and end it. */
  #fileError: NshError | undefined;
  readonly #handlers: Handlers<MethodName, RequestContext>;

  constructor(stream: Duplex, options: ConnectionOptions) {
    this.#options = options;
    const { service, links, store, supervision } = options;
    const storeServer = new StoreServer((at, signal) =>
      store.find(at, (node) => ({ ...this.#requester(node), signal })),
    );
    this.#handlers = {
      ...storeServer.handlers,
      'store.open': async (params, context) => {
        await storeServer.handlers['store.open'](params, context);
        const { note } = store;
        return params.at !== undefined || note === undefined ? {} : { note };
      },
      'store.reach': async (params, context) => {
        await store.reach(params, context.signal);
        return {};
      },
      hello: (params) => this.#greet(params),
      ping: () => Promise.resolve({}),
      dial: (params, context) => this.#dial(params, context.signal),
      nodes: () => Promise.resolve({ cluster: links.cluster, self: links.self.id, nodes: links.status() }),
      fanout: (params, context) => this.#fanout(params, context.signal),
      info: () => service.info(),
      ps: (params) => service.ps(params),
      kill: (params) => service.kill(params),
      run: (params) => service.run(params),
      find: (params) => service.find(params),
      wait: (params, context) => service.wait(params, context.signal),
      screen: (params, context) => service.screen(params, context.signal),
      supervise: async (_, context) => ({ problem: (await supervision.takePart(context.signal)) ?? null }),
      status: () => service.status(),
      boot: (params) => service.boot(params),
      stop: (params) => service.stop(params),
    };
    this.peer = new RpcPeer(stream, {
      name: 'the client',
      maxLineBytes: maxRequestBytes,
      onRequest: (method, params, context) => this.#answer(method, params, context),
    });
    void this.peer.closed.then(() => storeServer.close());
  }

  async #answer(method: string, params: unknown, context: RequestContext): Promise<unknown> {
    if (method === 'hello') {
      const greeting = dispatch(this.#handlers, method, params, context);
      this.#greeting = greeting;
      return await greeting;
    }
    if (this.#greeting === undefined) throw new NshError('invalidMessage', 'the first request must be hello');
    await this.#greeting;
    // Given up before it was begun, by a client that was told of a timeout: it must not be done now (a node that stood still).
    if (context.signal.aborted) throw context.signal.reason;
    if (this.#fileError !== undefined && !isAboutAgent(method, params)) throw this.#fileError;
    return await dispatch(this.#handlers, method, params, context);
  }

  async #greet(params: CheckedParams<'hello'>): Promise<Result<'hello'>> {
    const { links } = this.#options;
    const protocol = agreeOnVersion(protocolVersions, params.protocol);
    if (protocol === undefined) throw protocolMismatch(params);
    if (params.cluster !== links.cluster || params.node !== links.self.id) {
      throw new NshError(
        'wrongNode',
        `this is node ${links.self.id} (${links.self.name}) of cluster ${links.cluster}, not node ${params.node} of ${params.cluster}`,
      );
    }
    if (params.clusterFile !== undefined) {
      this.#fileError = await links.useFile(params.clusterFile).then(
        () => undefined,
        (error: unknown) => toNshError(error, 'clusterFile'),
      );
    }
    this.#hello = params;
    return {
      protocol,
      version: programVersion,
      build,
      node: links.self.id,
      name: links.self.name,
      boot: bootIdentity(),
      pid: process.pid,
    };
  }

  async #dial({ node, socket }: CheckedParams<'dial'>, signal: AbortSignal): Promise<Upgrade> {
    const far = await this.#openFar(node, socket, signal);
    return new Upgrade(({ stream, head }) => joinStreams(stream, far, head));
  }

  async #openFar(id: number, socket: string | undefined, signal: AbortSignal): Promise<Duplex> {
    const { links } = this.#options;
    if (id !== links.self.id) {
      const connection = links.connection(id);
      return await connection.openSocket(socket, { ...this.#requester(connection.node), signal });
    }
    if (socket === undefined) throw new NshError('invalidParams', 'this is the agent of that node already');
    return await openLocalSocket(links.self.name, socket);
  }

  #fanout(params: CheckedParams<'fanout'>, signal: AbortSignal): Promise<unknown> {
    const { links } = this.#options;
    return fanout(
      params,
      {
        links,
        client: this.peer,
        requester: (node) => ({ ...this.#requester(node), signal }),
        own: async (method, inner, innerSignal) =>
          await dispatch(this.#handlers, method, inner, { signal: innerSignal, peer: this.peer }),
      },
      signal,
    );
  }

  /** What a link may use of this connection's person. */
  #requester(node: NodeSpec): Omit<Requester, 'signal'> {
    const caller = this.#hello?.caller;
    const sshAuthSock = caller?.sshAuthSock;
    return {
      mayStart: true,
      isOneOfMany: false,
      onStage: (stage) => this.peer.notify('progress', { node: node.id, stage }),
      ...(sshAuthSock === undefined ? {} : { sshAuthSock }),
      ...(caller?.interactive === true
        ? {
            prompt: async (request) =>
              check(promptResult, await this.peer.request('prompt', request), 'prompt', 'invalidMessage').answer,
          }
        : {}),
    };
  }
}

/** Requests that need no cluster file. */
function isAboutAgent(method: string, params: unknown): boolean {
  if (method === 'ping' || method === 'status' || method === 'stop') return true;
  const { method: inner, nodes } = params as { method?: unknown; nodes?: unknown };
  const isOwn = Array.isArray(nodes) && nodes.length === 1 && nodes[0] === 0;
  return method === 'fanout' && isOwn && (inner === 'status' || inner === 'stop');
}

function protocolMismatch({ version, protocol }: CheckedParams<'hello'>): NshError {
  return new NshError(
    'protocolMismatch',
    `the agent is nsh ${programVersion} (protocol ${protocolVersions.min}–${protocolVersions.max}), ` +
      `the client nsh ${version} (protocol ${protocol.min}–${protocol.max}): install the same version on both, then end this agent ` +
      `(kill ${process.pid}, on its machine): the processes stay`,
  );
}
