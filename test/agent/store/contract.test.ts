import { ClientStore } from '../../../src/store/client-store.ts';
import { describeStoreContract } from '../../store/contract.ts';
import { storeDirectory } from './fixture.ts';

describeStoreContract('embedded, in its own process', async () => {
  const directory = storeDirectory();
  const store = await Promise.resolve(directory.open());
  return {
    open: async () => await Promise.resolve(new ClientStore(store)),
    close: async () => {
      await store.close();
      directory.remove();
    },
  };
});
