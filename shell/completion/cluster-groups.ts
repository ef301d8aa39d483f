/** Groups of processes for completion: what the store has of them, asked with a deadline and kept for a moment. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { GroupView } from '../../src/coordination/groups/view.ts';
import { foldNames } from '../../src/ids/nodeset/index.ts';
import type { KnownGroup } from './sources.ts';

const deadlineMs = 1_000;
const keepForMs = 2_000;
const maxCommandLength = 200;

/** Where the store cannot be asked in time there are none. */
export class ClusterGroups {
  readonly #client: ClusterClient;
  #kept: { readonly groups: readonly KnownGroup[]; readonly untilMs: number } | undefined;

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  async *groups(signal: AbortSignal): AsyncGenerator<readonly KnownGroup[], void, undefined> {
    if (this.#kept !== undefined && this.#kept.untilMs > performance.now()) {
      yield this.#kept.groups;
      return;
    }
    try {
      const groups = await readKnownGroups(this.#client, AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]));
      this.#kept = { groups, untilMs: performance.now() + keepForMs };
      yield groups;
    } catch {
      // No store, or interest was lost.
    }
  }
}

/** @throws NshError where the store cannot be asked, and what `signal` fired with. */
async function readKnownGroups(client: ClusterClient, signal: AbortSignal): Promise<KnownGroup[]> {
  const [{ readGroups }, { viewGroups }, { unlessAborted }] = await Promise.all([
    import('../../src/coordination/groups/snapshot.ts'),
    import('../../src/coordination/groups/view.ts'),
    import('../../src/coordination/patience.ts'),
  ]);
  const store = await unlessAborted(signal, client.store(signal));
  try {
    const snapshot = await unlessAborted(signal, readGroups(store, { signal }));
    return viewGroups(snapshot).map((view) => toKnown(view, client.nodes));
  } finally {
    void store.close();
  }
}

function toKnown({ name, state, ready, wanted, replicas }: GroupView, nodes: readonly NodeSpec[]): KnownGroup {
  const names = new Map(nodes.map((node) => [node.id as number, node.name]));
  const places = replicas.flatMap(({ node }) => (node === undefined ? [] : [names.get(node) ?? String(node)]));
  return {
    name,
    state,
    ready,
    wanted: wanted.spec.replicas,
    nodes: foldNames(places),
    command: wanted.spec.argv.join(' ').slice(0, maxCommandLength),
    replicas: replicas.map(({ slot, node, phase }) => ({
      slot,
      phase,
      node: node === undefined ? undefined : (names.get(node) ?? String(node)),
    })),
  };
}
