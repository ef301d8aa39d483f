/** The store contract on a real etcd of three members. */
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import { describeStoreContract } from '../contract.ts';
import { EtcdCluster } from './cluster.ts';

describeStoreContract('etcd', async () => {
  const cluster = await EtcdCluster.start();
  return {
    open: () => openEtcdStore({ urls: cluster.urls }),
    close: () => cluster.stop(),
  };
});
