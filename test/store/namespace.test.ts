import { expect, it } from 'vitest';
import { ClientStore } from '../../src/store/client-store.ts';
import { withNamespace } from '../../src/store/namespace.ts';
import { storeAsCalls } from '../../src/store/store-as-calls.ts';
import { put, read, write } from './contract/context.ts';
import { describeStoreContract, type StoreFixture } from './contract.ts';
import { OracleCore, OracleStore } from './oracle.ts';

async function makeFixture(): Promise<StoreFixture> {
  const core = new OracleCore();
  const one = () => new ClientStore(storeAsCalls(withNamespace(new OracleStore(core), 'nsh/lab/me/')));
  return await Promise.resolve({
    open: async () => await Promise.resolve(one()),
    close: async () => await Promise.resolve(),
  });
}

describeStoreContract('a namespace, as an agent serves it', makeFixture, { expiry: false });

it('hides every tenant from the others, also one whose name begins with the name of another', async () => {
  const whole = new OracleStore(new OracleCore());
  const [me, men] = [withNamespace(whole, 'nsh/lab/me/'), withNamespace(whole, 'nsh/lab/men/')];
  await write(me, 'key', 'mine');
  await write(men, 'key', 'theirs');
  expect(await read(me, 'key')).toBe('mine');
  expect((await me.list('')).entries.map(({ key }) => key)).toEqual(['key']);
  expect((await whole.list('')).entries.map(({ key }) => key)).toEqual(['nsh/lab/me/key', 'nsh/lab/men/key']);
  expect(await me.txn([], [{ op: 'deletePrefix', prefix: '' }])).toMatchObject({ results: [{ deleted: 1 }] });
  expect(await read(men, 'key')).toBe('theirs');
  await expect(me.txn([], [put('', '')])).rejects.toMatchObject({ code: 'invalidParams' });
});
