import { describeStoreContract } from '../store/contract.ts';
import { startStoreCluster } from './store-cluster.ts';

describeStoreContract('embedded, over a link', () => startStoreCluster({ count: 1 }));
