/** One run: clients at work on a store while it is struck, and what they were told. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../../src/store/store.ts';
import { makeRandom } from '../ids/random.ts';
import { Workload } from './workload.ts';

export interface RunOptions {
  /** Of the clients' choices; what comes first when many work at once it cannot tell. */
  readonly seed: number;
  readonly clients: number;
  /** One client of the store under test. */
  readonly open: () => Promise<Store>;
  /** What each client uses in place of the store; default: the store itself. */
  readonly mutate?: (store: Store) => Promise<Store> | Store;
  /** Faults; the clients stop when it resolves. */
  readonly strike: (workload: Workload) => Promise<void>;
}

/** Clients work until `strike` is over, and then a little longer with all well. */
export async function runClients(options: RunOptions): Promise<Workload> {
  const { seed, clients, open, strike, mutate = (store: Store) => store } = options;
  // Objects of its own in each run: what an earlier one left behind would be taken for a fault.
  const workload = new Workload(makeRandom(seed), `${randomUUID()}/`);
  const stores = await Promise.all(Array.from({ length: clients }, () => open()));
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
