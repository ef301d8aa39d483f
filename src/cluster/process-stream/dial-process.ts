/**
 * The ways to a managed process: its shim's socket on its node, through this machine's agent or over a connection of this process's own.
 * Where that shim has gone (upgrade, crash, reboot), the record tells which one serves the process now.
 */
import type { Duplex } from 'node:stream';
import { NshError, toNshError } from '../../protocol/errors.ts';
import type { ProcessRef, ShimRef } from '../../protocol/process.ts';
import type { ClusterClient } from '../cluster-client.ts';
import type { NodeSpec } from '../node-spec.ts';
import type { ProcessStreamOptions } from './types.ts';

/** An agent that has just lost a shim needs a moment until another one tells it the records. */
const unknownForMs = 3_000;

/** The `dial` and `shortcut` of a process stream. */
export function processDialler(
  client: Pick<ClusterClient, 'dial' | 'dialDirectly' | 'call' | 'self'>,
  node: NodeSpec,
  process: ProcessRef,
  shim: ShimRef,
): Pick<ProcessStreamOptions, 'dial' | 'shortcut'> {
  let socket = shim.socket;
  let unknownSince: number | undefined;
  const dial = async (signal: AbortSignal): Promise<Duplex> => {
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
  // To this machine's own shim `dial` goes straight; and the `ssh` program's streams gain nothing from another `ssh`.
  if (node.id === client.self.id || node.transport === 'openssh') return { dial };
  return { dial, shortcut: (signal) => client.dialDirectly(node, socket, signal) };
}
