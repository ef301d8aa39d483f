import { describeStoreContract } from './contract.ts';
import { OracleCore, OracleStore } from './oracle.ts';

describeStoreContract('the oracle', async () => {
  const core = new OracleCore();
  return await Promise.resolve({
    open: async () => await Promise.resolve(new OracleStore(core)),
    close: async () => await Promise.resolve(),
  });
});
