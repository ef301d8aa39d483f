/**
 * Opens the store on etcd. Import this file where it is needed and not before: it loads gRPC, which takes as long as a small command
 * altogether.
 */
import { ClientStore } from '../client-store.ts';
import type { Store } from '../store.ts';
import { Endpoints, type EtcdOptions } from './endpoints.ts';
import { EtcdCalls } from './etcd-calls.ts';

export type { EtcdOptions } from './endpoints.ts';

/**
 * Connects with the first call.
 * @throws NshError `clusterFile`: a URL, a file of the certificates or the one of the password cannot be used
 */
export async function openEtcdStore(options: EtcdOptions): Promise<Store> {
  const endpoints = await Endpoints.open(options);
  return new ClientStore(new EtcdCalls(endpoints), () => endpoints.close());
}
