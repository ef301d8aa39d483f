/** What src/store/store.ts promises, as tests that every backend passes: the oracle, the embedded one, it over a link, etcd. */
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { describeKeys } from './contract/keys.ts';
import { describeRequests } from './contract/requests.ts';
import { describeExpiry, describeSessions } from './contract/sessions.ts';
import { describeTxn } from './contract/txn.ts';
import { describeWatch } from './contract/watch.ts';
import type { ContractContext, StoreFixture } from './contract/context.ts';

export type { StoreFixture } from './contract/context.ts';

export interface ContractOptions {
  /** What waits for sessions to be renewed and to expire, some seconds each; false where that is not what is tried. Default true. */
  readonly expiry?: boolean;
}

/** @param makeFixture one running store for all tests of the suite, which work below prefixes of their own. */
export function describeStoreContract(
  name: string,
  makeFixture: () => Promise<StoreFixture>,
  { expiry = true }: ContractOptions = {},
): void {
  describe(`the store contract: ${name}`, () => {
    let fixture: StoreFixture;
    let count = 0;
    const context: ContractContext = {
      get store() {
        return context.stores[0] ?? raise();
      },
      stores: [],
      prefix: '',
      async another() {
        const store = await fixture.open();
        context.stores.push(store);
        return store;
      },
    };
    beforeAll(async () => {
      fixture = await makeFixture();
    });
    afterAll(async () => {
      await fixture.close();
    });
    beforeEach(async () => {
      context.prefix = `contract-${++count}/`;
      await context.another();
    });
    afterEach(async () => {
      for (const store of context.stores.splice(0)) await store.close();
    });
    describeKeys(context);
    describeTxn(context);
    describeRequests(context);
    describeWatch(context);
    describeSessions(context);
    if (expiry) describeExpiry(context);
  });
}

function raise(): never {
  throw new Error('the store of a test is there only while it runs');
}
