import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ClusterClient } from '../../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../../src/cluster/node-spec.ts';
import { processDialler } from '../../../src/cluster/process-stream/dial-process.ts';
import { nodeId } from '../../../src/ids/gpid.ts';
import { NshError } from '../../../src/protocol/errors.ts';
import { memoryPair } from './memory-pair.ts';

const web1: NodeSpec = { id: nodeId(3), name: 'web1', labels: [] };
const signal = new AbortController().signal;

/** A cluster in which only the shims at `alive` answer, and the record names `socket`. */
function clusterWith(
  alive: string[],
  socket: string | null,
): { client: Pick<ClusterClient, 'dial' | 'dialDirectly' | 'call' | 'self'>; dialled: string[] } {
  const dialled: string[] = [];
  const client = {
    self: { id: nodeId(0), name: 'localhost', labels: [] },
    dial: (_node: NodeSpec, path: string): Promise<Duplex> => {
      dialled.push(path);
      if (alive.includes(path)) return Promise.resolve(memoryPair().a);
      return Promise.reject(new NshError('noAgent', `nothing listens at ${path}`));
    },
    call: () => Promise.resolve({ found: [socket === null ? null : { shim: { id: 'x', socket } }] }),
  } as unknown as Pick<ClusterClient, 'dial' | 'dialDirectly' | 'call' | 'self'>;
  return { client, dialled };
}

describe('the way to a process', () => {
  it('leads to the shim that serves it now where the first has gone, and stays there', async () => {
    const { client, dialled } = clusterWith(['/new.sock'], '/new.sock');
    const { dial } = processDialler(client, web1, { pid: 1 }, { id: 'old', socket: '/old.sock' });
    await dial(signal);
    await dial(signal);
    expect(dialled).toEqual(['/old.sock', '/new.sock', '/new.sock']);
  });

  it('may open again where the record still names a shim that does not answer, or is not known just now', async () => {
    for (const named of ['/old.sock', null]) {
      const { client } = clusterWith([], named);
      const { dial } = processDialler(client, web1, { pid: 1 }, { id: 'old', socket: '/old.sock' });
      await expect(dial(signal)).rejects.toMatchObject({ code: 'noAgent' });
    }
  });
});
