/** Transactions: when a comparison holds, what the steps see of each other, and that all of it happens or nothing. */
import { expect, it } from 'vitest';
import type { Compare, SessionId } from '../../../src/store/store.ts';
import { bytes, isAbsent, put, read, textOf, write, type ContractContext } from './context.ts';

export function describeTxn(c: ContractContext): void {
  const holds = async (...compares: Compare[]): Promise<boolean> => (await c.store.txn(compares, [])).succeeded;

  it('compares the revisions and the version of a key, which are 0 where it is not there', async () => {
    const key = `${c.prefix}key`;
    for (const on of ['create', 'mod', 'version'] as const) {
      expect(await holds({ key, on, to: 0n })).toBe(true);
      expect(await holds({ key, on, is: '<', to: 1n })).toBe(true);
      expect(await holds({ key, on, is: '>', to: 0n })).toBe(false);
    }
    const create = await write(c.store, key, 'one');
    const mod = await write(c.store, key, 'two');
    for (const [on, value] of [
      ['create', create],
      ['mod', mod],
      ['version', 2n],
    ] as const) {
      expect(await holds({ key, on, to: value })).toBe(true);
      expect(await holds({ key, on, is: '=', to: value + 1n })).toBe(false);
      expect(await holds({ key, on, is: '!=', to: value })).toBe(false);
      expect(await holds({ key, on, is: '!=', to: 0n })).toBe(true);
      expect(await holds({ key, on, is: '<', to: value })).toBe(false);
      expect(await holds({ key, on, is: '<', to: value + 1n })).toBe(true);
      expect(await holds({ key, on, is: '>', to: value })).toBe(false);
      expect(await holds({ key, on, is: '>', to: value - 1n })).toBe(true);
    }
  });

  it('compares values byte by byte, and none of them holds where the key is not there', async () => {
    const key = `${c.prefix}key`;
    const against = (text: string, is?: '=' | '!=' | '<' | '>'): Compare =>
      is === undefined ? { key, on: 'value', to: bytes(text) } : { key, on: 'value', is, to: bytes(text) };
    for (const is of ['=', '!=', '<', '>'] as const) expect(await holds(against('', is))).toBe(false);
    await write(c.store, key, 'mm');
    expect(await holds(against('mm'))).toBe(true);
    expect(await holds(against('m'))).toBe(false);
    expect(await holds(against('m', '!='))).toBe(true);
    expect(await holds(against('mm', '!='))).toBe(false);
    expect(await holds(against('mma', '<'))).toBe(true);
    expect(await holds(against('m', '>'))).toBe(true);
    expect(await holds(against('é', '<'))).toBe(true);
  });

  it('compares the session of a key', async () => {
    const session = await c.store.openSession(60);
    const key = `${c.prefix}key`;
    expect(await holds({ key, on: 'session', to: undefined })).toBe(true);
    await c.store.txn([], [{ op: 'put', key, value: bytes(''), session: session.id }]);
    expect(await holds({ key, on: 'session', to: session.id })).toBe(true);
    expect(await holds({ key, on: 'session', to: undefined })).toBe(false);
    expect(await holds({ key, on: 'session', is: '!=', to: undefined })).toBe(true);
    expect(await holds({ key, on: 'session', is: '!=', to: session.id })).toBe(false);
    expect(await holds({ key, on: 'session', to: '7' as SessionId })).toBe(false);
    await session.close();
  });

  it('does the one list of steps where all comparisons hold, and the other where one does not', async () => {
    const key = `${c.prefix}key`;
    const first = await c.store.txn([isAbsent(key)], [put(key, 'one')], [{ op: 'get', key }]);
    expect(first).toMatchObject({ succeeded: true, results: [{ op: 'put' }] });
    const second = await c.store.txn([isAbsent(key)], [put(key, 'two')], [{ op: 'get', key }]);
    expect(second.succeeded).toBe(false);
    expect(second.revision).toBe(first.revision);
    expect(second.results).toMatchObject([{ op: 'get', entry: { key, version: 1n } }]);
    const both = await c.store.txn([{ key, on: 'version', to: 1n }, isAbsent(key)], [put(key, 'three')]);
    expect(both).toMatchObject({ succeeded: false, results: [] });
    expect(await read(c.store, key)).toBe('one');
  });

  it('writes all steps in one revision, and lets later ones see what earlier ones wrote', async () => {
    const [a, b, gone] = [`${c.prefix}a`, `${c.prefix}b`, `${c.prefix}gone`];
    const before = await write(c.store, gone, 'old');
    const { revision, results } = await c.store.txn(
      [],
      [
        put(a, '1'),
        { op: 'get', key: a },
        { op: 'delete', key: gone },
        { op: 'delete', key: gone },
        put(b, '2'),
        { op: 'list', prefix: c.prefix },
        { op: 'list', prefix: c.prefix, limit: 1, keysOnly: true },
      ],
    );
    expect(revision).toBe(before + 1n);
    expect(results).toMatchObject([
      { op: 'put' },
      { op: 'get', entry: { key: a, modRevision: revision, createRevision: revision, version: 1n } },
      { op: 'delete', deleted: 1 },
      { op: 'delete', deleted: 0 },
      { op: 'put' },
      { op: 'list', entries: [{ key: a }, { key: b }], more: false },
      { op: 'list', entries: [{ key: a }], more: true },
    ]);
    const last = results[5];
    expect(last?.op === 'list' ? last.entries.map(textOf) : []).toEqual(['1', '2']);
    for (const key of [a, b]) expect((await c.store.get(key)).entry?.modRevision).toBe(revision);
  });

  it('deletes all below a prefix and says how many, and raises no revision where there was nothing to change', async () => {
    await c.store.txn([], [put(`${c.prefix}x/1`, ''), put(`${c.prefix}x/2`, ''), put(`${c.prefix}y`, '')]);
    const { revision, results } = await c.store.txn([], [{ op: 'deletePrefix', prefix: `${c.prefix}x/` }]);
    expect(results).toEqual([{ op: 'deletePrefix', deleted: 2 }]);
    const again = await c.store.txn(
      [],
      [
        { op: 'deletePrefix', prefix: `${c.prefix}x/` },
        { op: 'get', key: `${c.prefix}y` },
      ],
    );
    expect(again.revision).toBe(revision);
    expect((await c.store.list(c.prefix)).entries.map(({ key }) => key)).toEqual([`${c.prefix}y`]);
  });

  it('applies each of many increments that compare and set, from several clients, exactly once', async () => {
    const key = `${c.prefix}counter`;
    await write(c.store, key, '0');
    const clients = [c.store, await c.another(), await c.another()];
    const increment = async (store: typeof c.store): Promise<void> => {
      for (;;) {
        const { entry } = await store.get(key);
        const next = String(Number(textOf(entry)) + 1);
        const { succeeded } = await store.txn([{ key, on: 'mod', to: entry?.modRevision ?? 0n }], [put(key, next)]);
        if (succeeded) return;
      }
    };
    await Promise.all(
      clients.map(async (store) => {
        for (let i = 0; i < 10; i++) await increment(store);
      }),
    );
    expect(await read(c.store, key)).toBe('30');
    expect((await c.store.get(key)).entry?.version).toBe(31n);
  });
}
