/**
 * The way to a managed process: its shim's socket on its node. Where that shim has gone (upgrade, crash, reboot), the record tells
 * which one serves the process now.
 */
import type { Duplex } from 'node:stream';
import { NshError, toNshError } from '../../protocol/errors.ts';
import type { ProcessRef, ShimRef } from '../../protocol/process.ts';
import type { ClusterClient } from '../cluster-client.ts';
import type { NodeSpec } from '../node-spec.ts';

/** An agent that has just lost a shim needs a moment until another one tells it the records. */
const unknownForMs = 3_000;

/** The `dial` of a process stream. */
export function processDialler(
  client: Pick<ClusterClient, 'dial' | 'call'>,
  node: NodeSpec,
  process: ProcessRef,
  shim: ShimRef,
): (signal: AbortSignal) => Promise<Duplex> {
  let socket = shim.socket;
  let unknownSince: number | undefined;
  return async (signal) => {
    try {
      return await client.dial(node, socket, signal);
    } catch (error) {
      if (toNshError(error).code !== 'noAgent') throw error;
      const { found } = await client.call(node, 'find', { processes: [process] }, { signal });
      const record = found[0];
      if (record === null || record === undefined) {
        unknownSince ??= performance.now();
        if (performance.now() - unknownSince < unknownForMs) throw error;
        throw new NshError('noSuchProcess', `${node.name} keeps no record of process ${process.pid} any more`, {
          cause: error,
        });
      }
      unknownSince = undefined;
      if (record.shim.socket === socket) throw error;
      socket = record.shim.socket;
      return await client.dial(node, socket, signal);
    }
  };
}
