/** What no backend takes, calls that are given up, and a store that is closed. */
import { expect, it } from 'vitest';
import type { Op, Store } from '../../../src/store/store.ts';
import { put, write, type ContractContext } from './context.ts';

export function describeRequests(c: ContractContext): void {
  const expectRefused = async (ops: readonly Op[], code: string): Promise<void> => {
    const before = (await c.store.get(`${c.prefix}any`)).revision;
    await expect(c.store.txn([], ops)).rejects.toMatchObject({ code });
    expect((await c.store.get(`${c.prefix}any`)).revision).toBe(before);
  };
  /** Of so many bytes, with what a namespace puts before it left room for. */
  const keyOf = (length: number): string => c.prefix.padEnd(length, 'x');

  it('refuses keys that are empty, too long, or no text', async () => {
    await expectRefused([put('', '')], 'invalidParams');
    await expectRefused([put(`${c.prefix}\ud800`, '')], 'invalidParams');
    await expectRefused([put(keyOf(1025), '')], 'tooLarge');
    await write(c.store, keyOf(900), 'long');
    expect((await c.store.list(keyOf(899))).entries.map(({ key }) => key)).toEqual([keyOf(900)]);
    await expect(c.store.get('')).rejects.toMatchObject({ code: 'invalidParams' });
  });

  it('refuses more than 128 steps or comparisons, and more than 1.5 MiB', async () => {
    const many = Array.from({ length: 129 }, (_, i) => put(`${c.prefix}${i}`, ''));
    await expectRefused(many, 'tooLarge');
    await expect(
      c.store.txn(
        many.map((_, i) => ({ key: `${c.prefix}${i}`, on: 'create', to: 0n })),
        [],
      ),
    ).rejects.toMatchObject({ code: 'tooLarge' });
    await c.store.txn([], many.slice(1));
    expect((await c.store.list(c.prefix, { keysOnly: true })).entries).toHaveLength(128);
    const half = { op: 'put', value: new Uint8Array(800_000) } as const;
    await expectRefused(
      [
        { ...half, key: `${c.prefix}x` },
        { ...half, key: `${c.prefix}y` },
      ],
      'tooLarge',
    );
    await c.store.txn([], [{ ...half, key: `${c.prefix}x`, value: new Uint8Array(1_500_000) }]);
  });

  it('refuses a transaction that puts a key twice, or puts and deletes it', async () => {
    const key = `${c.prefix}key`;
    await expectRefused([put(key, '1'), put(key, '2')], 'invalidParams');
    await expectRefused([{ op: 'delete', key }, put(key, '2')], 'invalidParams');
    await expectRefused([put(key, '2'), { op: 'deletePrefix', prefix: c.prefix }], 'invalidParams');
  });

  it('gives up a call whose signal has fired', async () => {
    const signal = AbortSignal.abort();
    await expect(c.store.get(`${c.prefix}key`, { signal })).rejects.toMatchObject({ code: 'cancelled' });
    await expect(c.store.txn([], [put(`${c.prefix}key`, '')], [], { signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect((await c.store.get(`${c.prefix}key`)).entry).toBeUndefined();
  });

  it('says that it is well, and which backend it is', async () => {
    const status = await c.store.status();
    expect(status.health).toBe('ok');
    expect(['etcd', 'embedded', 'memory']).toContain(status.backend);
    expect(status.members.length).toBeGreaterThan(0);
    const { revision } = await c.store.get(`${c.prefix}key`);
    expect(status.revision).toBe(revision);
  });

  it('answers storeClosed to everything once it is closed, and ends its watches with it', async () => {
    const store = await c.another();
    const watch = store.watch(c.prefix, 1_000_000_000n)[Symbol.asyncIterator]();
    const next = watch.next();
    const session = await store.openSession(60);
    await store.close();
    await store.close();
    await expect(next).rejects.toMatchObject({ code: 'storeClosed' });
    const calls: ((store: Store) => Promise<unknown>)[] = [
      (closed) => closed.get(`${c.prefix}key`),
      (closed) => closed.list(c.prefix),
      (closed) => closed.txn([], [put(`${c.prefix}key`, '')]),
      (closed) => closed.openSession(5),
      (closed) => closed.compact(1n),
      (closed) => closed.watch(c.prefix, 1n)[Symbol.asyncIterator]().next(),
      () => session.renew(),
    ];
    for (const call of calls) await expect(call(store)).rejects.toMatchObject({ code: 'storeClosed' });
    // The session was released, not ended.
    const adopted = await c.store.adoptSession(session.id);
    await adopted.close();
  });
}
