import { expect, it } from 'vitest';
import { NshError } from '../../src/protocol/errors.ts';
import { ClientStore } from '../../src/store/client-store.ts';
import { foundCalls } from '../../src/store/found-calls.ts';
import type { StoreCalls } from '../../src/store/store-calls.ts';
import { storeAsCalls } from '../../src/store/store-as-calls.ts';
import { read, WatchReader, write } from './contract/context.ts';
import { OracleCore, OracleStore } from './oracle.ts';

it('says why a store that cannot be found is not available, uses it as soon as it can, and its watches wait for it', async () => {
  const whole = new OracleStore(new OracleCore());
  let find = (): Promise<StoreCalls> => Promise.reject(new NshError('unreachable', 'n1: no route to host'));
  const store = new ClientStore(foundCalls(() => find()));
  const reader = new WatchReader(store, 'key', 2n);
  await expect(write(store, 'key', 'one')).rejects.toMatchObject({
    code: 'storeUnavailable',
    message: 'the store cannot be reached: n1: no route to host',
  });
  find = () => new Promise(() => undefined);
  await expect(store.get('key', { deadlineMs: 20 })).rejects.toMatchObject({ code: 'storeUnavailable' });
  find = () => Promise.resolve(storeAsCalls(whole));
  await write(store, 'key', 'two');
  expect(await read(store, 'key')).toBe('two');
  await reader.stop();
  const later = new WatchReader(store, 'key', 2n);
  expect(await later.events(1)).toEqual(['+key=two']);
  await later.stop();
  await store.close();
});
