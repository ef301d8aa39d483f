/** The agent's control connection to one shim: typed calls, and what the shim reports by itself. */
import type * as v from 'valibot';
import { openUnixSocket } from '../../src/link/unix-socket.ts';
import { exitedParams, shimMethods, startedParams, type ExitedParams } from '../../src/protocol/shim-control.ts';
import type { ManagedProcess } from '../../src/protocol/process.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';
import { check } from '../../src/rpc/typed.ts';

type ShimMethods = typeof shimMethods;
export type ShimMethod = keyof ShimMethods;
type ShimParams<M extends ShimMethod> = v.InferInput<ShimMethods[M]['params']>;
type ShimResult<M extends ShimMethod> = v.InferOutput<ShimMethods[M]['result']>;

const deadlineMs = 10_000;

export interface ShimEvents {
  readonly onStarted: (process: ManagedProcess) => void;
  readonly onExited: (params: ExitedParams) => void;
}

export class ShimClient {
  readonly id: string;
  readonly version: string;
  readonly pid: number;
  readonly socket: string;
  /** Resolves when the shim is gone, or its connection is. */
  readonly closed: Promise<unknown>;
  readonly #peer: RpcPeer;

  private constructor(peer: RpcPeer, socket: string, hello: ShimResult<'hello'>) {
    this.#peer = peer;
    this.socket = socket;
    this.id = hello.id;
    this.version = hello.version;
    this.pid = hello.pid;
    this.closed = peer.closed;
  }

  /** @param helloMs it has to answer within; default 10,000. @throws NodeJS.ErrnoException where nothing listens at `socket`; NshError where it is no shim. */
  static async open(socket: string, events: ShimEvents, helloMs = deadlineMs): Promise<ShimClient> {
    const peer = new RpcPeer(await openUnixSocket(socket), {
      name: 'the shim',
      onNotification: (method, params) => {
        if (method === 'exited') events.onExited(check(exitedParams, params, method, 'invalidMessage'));
        if (method === 'started') events.onStarted(check(startedParams, params, method, 'invalidMessage').process);
      },
    });
    const hello = check(
      shimMethods.hello.result,
      await peer.request('hello', {}, { deadlineMs: helloMs }).catch((error: unknown) => {
        peer.close();
        throw error;
      }),
      'hello',
      'invalidMessage',
    );
    return new ShimClient(peer, socket, hello);
  }

  /**
   * @param withinMs default 10,000.
   * @throws NshError: the shim's own, `timeout`, `linkLost` where it died.
   */
  async call<M extends ShimMethod>(method: M, params: ShimParams<M>, withinMs = deadlineMs): Promise<ShimResult<M>> {
    const result = await this.#peer.request(method, params, { deadlineMs: withinMs });
    return check(
      shimMethods[method].result as v.GenericSchema<unknown, ShimResult<M>>,
      result,
      method,
      'invalidMessage',
    );
  }

  close(): void {
    this.#peer.close();
  }
}
