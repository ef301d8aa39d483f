/** One run: clients at work on a three-member etcd while it is struck, and what the checker says of it. */
import { randomUUID } from 'node:crypto';
import { openEtcdStore } from '../../src/store/etcd/etcd-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makeRandom } from '../ids/random.ts';
import type { EtcdCluster } from '../store/etcd/cluster.ts';
import { Workload } from './workload.ts';

export interface RunOptions {
  /** Of the clients' choices; what comes first when many work at once it cannot tell. */
  readonly seed: number;
  readonly clients: number;
  /** What each client uses in place of the store; default: the store itself. */
  readonly mutate?: (store: Store) => Promise<Store> | Store;
  /** Faults; the clients stop when it resolves. */
  readonly strike: (workload: Workload) => Promise<void>;
}

/** Clients work until `strike` is over, and then a little longer with all well. */
export async function runClients(cluster: EtcdCluster, options: RunOptions): Promise<Workload> {
  const { seed, clients, strike, mutate = (store: Store) => store } = options;
  // Objects of its own in each run: what an earlier one left behind would be taken for a fault.
  const workload = new Workload(makeRandom(seed), `${randomUUID()}/`);
  const stores = await Promise.all(Array.from({ length: clients }, () => openEtcdStore({ urls: cluster.proxiedUrls })));
  let isEnough = false;
  try {
    const working = stores.map(async (store, client) => workload.run(client, await mutate(store), () => isEnough));
    const striking = strike(workload).finally(() => {
      isEnough = true;
    });
    await Promise.all([...working, striking]);
  } finally {
    isEnough = true;
    await Promise.all(stores.map((store) => store.close()));
  }
  return workload;
}
