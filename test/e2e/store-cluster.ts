/** Real hosts whose embedded store is on n1, and clients of it on this machine, through its agent and a link. */
import { connectCluster } from '../../src/cluster/connect.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import type { Store } from '../../src/store/store.ts';
import { startCluster, type ClusterOptions, type NshCluster } from './nsh-cluster.ts';

export interface StoreCluster {
  readonly cluster: NshCluster;
  /** A client of its own, with a connection of its own to this machine's agent. */
  open(): Promise<Store>;
  close(): Promise<void>;
}

export async function startStoreCluster(options: ClusterOptions = {}): Promise<StoreCluster> {
  const cluster = await startCluster(options);
  const clients: ClusterClient[] = [];
  return {
    cluster,
    open: async () => {
      const client = connectCluster(await loadCluster({ flag: cluster.file, env: cluster.env }), { env: cluster.env });
      clients.push(client);
      return await client.store();
    },
    close: async () => {
      for (const client of clients) client.close();
      await cluster.stop();
    },
  };
}
