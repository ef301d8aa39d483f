/** What a hostile or confused client is answered: every request is checked, and none reaches the store that it would not take. */
import { expect, it } from 'vitest';
import { dispatch } from '../../src/rpc/typed.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';
import { storeAsCalls } from '../../src/store/store-as-calls.ts';
import { StoreServer } from '../../src/store/store-server.ts';
import { duplexPair } from 'node:stream';
import { OracleCore, OracleStore } from './oracle.ts';

const core = new OracleCore();
const server = new StoreServer(async () => await Promise.resolve(storeAsCalls(new OracleStore(core))));
const peer = new RpcPeer(duplexPair()[0], { name: 'the client' });
const ask = (method: string, params: unknown): Promise<unknown> =>
  (async () => await dispatch(server.handlers, method, params, { signal: new AbortController().signal, peer }))();
const key = 'k'.repeat(1025);
const put = { op: 'put', key: 'k', value: '' };
it.each([
  ['an empty key', 'store.get', { key: '' }, 'invalidParams'],
  ['a long key', 'store.get', { key }, 'tooLarge'],
  ['half a character', 'store.get', { key: '\ud800' }, 'invalidParams'],
  ['a key that is no text', 'store.get', { key: 7 }, 'invalidParams'],
  ['a value that is no base64', 'store.txn', { if: [], do: [{ ...put, value: '%%' }], else: [] }, 'invalidParams'],
  ['a step of no kind', 'store.txn', { if: [], do: [{ op: 'drop', key: 'k' }], else: [] }, 'invalidParams'],
  ['a key put twice', 'store.txn', { if: [], do: [put, put], else: [] }, 'invalidParams'],
  ['too many steps', 'store.txn', { if: [], do: Array.from({ length: 129 }, () => put), else: [] }, 'tooLarge'],
  ['a revision that is a number', 'store.compact', { revision: 1 }, 'invalidParams'],
  ['a revision beyond 64 bits', 'store.compact', { revision: '9'.repeat(20) }, 'invalidParams'],
  ['a revision to come', 'store.compact', { revision: '5' }, 'invalidParams'],
  ['a watch from 0', 'store.watch', { prefix: '', from: '0' }, 'invalidParams'],
  ['a watch that is not there', 'store.next', { watch: 9, idleMs: 10 }, 'invalidParams'],
  ['a wait without end', 'store.next', { watch: 9, idleMs: 1e12 }, 'invalidParams'],
  ['a session that is none', 'store.renew', { session: '../..' }, 'invalidParams'],
  ['a session that is not there', 'store.revoke', { session: 'abc' }, 'sessionLost'],
  ['a session of no time', 'store.grant', { ttlSeconds: 0 }, 'invalidParams'],
  ['a negative limit', 'store.list', { prefix: '', limit: -1 }, 'invalidParams'],
  ['a method that is none', 'store.drop', {}, 'unknownMethod'],
])('refuses %s', async (_what, method, params, code) => {
  await expect(ask(method, params)).rejects.toMatchObject({ code });
  expect(core.revision).toBe(1n);
});
