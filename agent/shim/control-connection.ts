/** The agent's talk with the shim on one connection (src/protocol/shim-control.ts). */
import type { Socket } from 'node:net';
import type * as v from 'valibot';
import { localPid } from '../../src/ids/gpid.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { maxRequestBytes } from '../../src/protocol/limits.ts';
import { shimMethods } from '../../src/protocol/shim-control.ts';
import { programVersion } from '../../src/protocol/version.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';
import { check } from '../../src/rpc/typed.ts';
import type { Shim } from './shim.ts';

type Methods = typeof shimMethods;
type Handlers = {
  readonly [M in keyof Methods]: (
    params: v.InferOutput<Methods[M]['params']>,
  ) => Promise<v.InferInput<Methods[M]['result']>> | v.InferInput<Methods[M]['result']>;
};

/** A client that leaves more than this of its answers unread is closed. */
const maxUnreadBytes = 64 * 1024 * 1024;

/** @param stop ends the shim: when it is empty, or with everything in it. */
export function serveControl(socket: Socket, shim: Shim, stop: (kill: boolean) => Promise<void>): RpcPeer {
  const handlers: Handlers = {
    hello: () => ({ id: shim.ref.id, version: programVersion, pid: localPid(process.pid), processes: shim.size }),
    spawn: (params) => shim.spawn(params),
    list: () => ({ processes: shim.list() }),
    running: () => ({ processes: shim.running() }),
    signal: ({ process: ref, signal, group }) => {
      shim.signal(ref, signal, group);
      return {};
    },
    killAt: ({ processes, bootMs }) => {
      for (const ref of processes) shim.killAt(ref, bootMs);
      return {};
    },
    stop: async ({ kill }) => {
      await stop(kill);
      return {};
    },
  };
  return new RpcPeer(socket, {
    name: 'the agent',
    maxLineBytes: maxRequestBytes,
    onRequest: async (method, params, { peer }) => {
      if (peer.stream.writableLength > maxUnreadBytes) {
        peer.close(new NshError('tooLarge', 'the other end does not read its answers'));
      }
      return await answer(handlers, method, params);
    },
  });
}

async function answer(handlers: Handlers, method: string, params: unknown): Promise<unknown> {
  if (!Object.hasOwn(shimMethods, method))
    throw new NshError('unknownMethod', `this shim has no method ${JSON.stringify(method)}`);
  const name = method as keyof Methods;
  const checked = check(shimMethods[name].params as v.GenericSchema, params, name, 'invalidParams');
  const handler = handlers[name] as (params: unknown) => unknown;
  return await handler(checked);
}
