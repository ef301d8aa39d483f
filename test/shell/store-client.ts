/** A cluster client whose store is in this process, and that reaches no agent: for commands that speak with the store alone. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { OracleCore, OracleStore } from '../store/oracle.ts';

/** `web1`, `web2=gpu+ssd`: ids from 1, labels behind `=`. */
export function nodesOf(...words: readonly string[]): NodeSpec[] {
  return words.map((word, index) => {
    const [name = '', labels] = word.split('=');
    return { id: nodeId(index + 1), name, labels: labels?.split('+') ?? [] };
  });
}

/** @param wrap stands between the commands and the store. */
export function storeClient(
  nodes: readonly NodeSpec[],
  core = new OracleCore(),
  wrap: (store: Store) => Store = (store) => store,
): ClusterClient {
  const [self = { id: nodeId(0), name: 'localhost', labels: [] }] = nodes;
  const refuse = (): never => {
    throw new NshError('unreachable', 'there are no agents here');
  };
  return {
    spec: { cluster: 'c', file: { path: '/c.yaml', mtimeMs: 0, size: 0 }, agentCommand: 'nsh-agent', nodes },
    self,
    nodes,
    node: (id) => nodes.find((node) => node.id === id),
    status: async () => await Promise.resolve(refuse()),
    call: async () => await Promise.resolve(refuse()),
    fanout: async function* (asked) {
      for (const node of asked) yield { node, error: new NshError('unreachable', `${node.name}: connection refused`) };
    },
    dial: async () => await Promise.resolve(refuse()),
    dialDirectly: async () => await Promise.resolve(refuse()),
    store: async () => await Promise.resolve(wrap(new OracleStore(core))),
    close: () => {},
  };
}
