/** Watches: every revision once, whole and in order, from wherever they begin. */
import { expect, it } from 'vitest';
import { isAbsent, put, textOf, WatchReader, write, type ContractContext } from './context.ts';

export function describeWatch(c: ContractContext): void {
  it('tells what is put and deleted from now on, with what was there before', async () => {
    const key = `${c.prefix}key`;
    const { revision } = await c.store.get(key);
    const reader = new WatchReader(c.store, c.prefix, revision + 1n);
    await write(c.store, key, 'one');
    await write(c.store, key, 'two');
    const other = await c.another();
    await other.txn([], [{ op: 'delete', key }]);
    expect(await reader.events(3)).toEqual([`+${key}=one`, `+${key}=two`, `-${key}`]);
    expect(reader.batches.map((batch) => batch.revision - revision)).toEqual([1n, 2n, 3n]);
    const previous = reader.batches.map(({ events: [event] }) => textOf(event?.previous));
    expect(previous).toEqual([undefined, 'one', 'two']);
    expect(reader.batches[1]?.events[0]).toMatchObject({
      type: 'put',
      entry: { key, version: 2n, createRevision: revision + 1n, modRevision: revision + 2n },
      previous: { version: 1n },
    });
    expect(await reader.stop()).toBeUndefined();
  });

  it('begins in the past, and tells nothing of other prefixes', async () => {
    const first = await write(c.store, `${c.prefix}a/1`, 'x');
    await write(c.store, `${c.prefix}b/1`, 'x');
    await write(c.store, `${c.prefix}a/2`, 'y');
    await c.store.txn([], [{ op: 'deletePrefix', prefix: c.prefix }]);
    const reader = new WatchReader(c.store, `${c.prefix}a/`, first);
    expect(await reader.events(4)).toEqual([
      `+${c.prefix}a/1=x`,
      `+${c.prefix}a/2=y`,
      `-${c.prefix}a/1`,
      `-${c.prefix}a/2`,
    ]);
    expect(reader.batches.map((batch) => batch.revision - first)).toEqual([0n, 2n, 3n]);
    const later = new WatchReader(c.store, `${c.prefix}a/`, first + 1n);
    expect((await later.events(3))[0]).toBe(`+${c.prefix}a/2=y`);
    await Promise.all([reader.stop(), later.stop()]);
  });

  it('waits for a revision that lies in the future, and leaves out what comes before it', async () => {
    const { revision } = await c.store.get(c.prefix);
    const reader = new WatchReader(c.store, c.prefix, revision + 3n);
    for (const text of ['1', '2', '3', '4']) await write(c.store, `${c.prefix}key`, text);
    expect(await reader.events(2)).toEqual([`+${c.prefix}key=3`, `+${c.prefix}key=4`]);
    await reader.stop();
  });

  it('never splits a revision, not one of 128 large entries either', async () => {
    const { revision } = await c.store.get(c.prefix);
    const reader = new WatchReader(c.store, c.prefix, revision + 1n);
    const value = new Uint8Array(10_000).fill(120);
    const keys = Array.from({ length: 128 }, (_, i) => `${c.prefix}${String(i).padStart(3, '0')}`);
    for (let round = 0; round < 3; round++)
      await c.store.txn(
        [],
        keys.map((key) => ({ op: 'put', key, value })),
      );
    await c.store.txn([], [{ op: 'deletePrefix', prefix: c.prefix }]);
    await reader.events(4 * 128);
    expect(reader.batches.map(({ events }) => events.map(({ key }) => key))).toEqual([keys, keys, keys, keys]);
    await reader.stop();
  });

  it('tells every one of several watchers everything, in order, while several clients write', async () => {
    const { revision } = await c.store.get(c.prefix);
    const clients = [c.store, await c.another(), await c.another()];
    const readers = clients.map((store) => new WatchReader(store, c.prefix, revision + 1n));
    const rounds = 25;
    await Promise.all(
      clients.map(async (store, client) => {
        for (let i = 0; i < rounds; i++) await write(store, `${c.prefix}${client}`, String(i));
      }),
    );
    const total = clients.length * rounds;
    const late = new WatchReader(c.store, c.prefix, revision + 1n);
    for (const reader of [...readers, late]) {
      await reader.events(total);
      expect(reader.batches.map((batch) => batch.revision)).toEqual(
        Array.from({ length: total }, (_, i) => revision + 1n + BigInt(i)),
      );
      expect(reader.batches).toEqual(readers[0]?.batches);
    }
    for (const reader of [...readers, late]) await reader.stop();
  });

  it('goes on where a list of the same moment ends: together they miss nothing', async () => {
    const writer = await c.another();
    const total = 60;
    const writing = (async () => {
      for (let i = 0; i < total; i++)
        await writer.txn([isAbsent(`${c.prefix}${i}`)], [put(`${c.prefix}${i}`, String(i))]);
    })();
    const { entries, revision } = await c.store.list(c.prefix);
    const reader = new WatchReader(c.store, c.prefix, revision + 1n);
    const seen = [
      ...entries.map(({ key }) => key),
      ...(await reader.events(total - entries.length)).map((text) => text.slice(1, text.indexOf('='))),
    ];
    await writing;
    expect(seen.sort()).toEqual(Array.from({ length: total }, (_, i) => `${c.prefix}${i}`).sort());
    await reader.stop();
  });

  it('throws storeCompacted where it would begin at or before the compacted revision', async () => {
    const key = `${c.prefix}key`;
    const one = await write(c.store, key, 'one');
    const two = (await c.store.txn([], [{ op: 'delete', key }])).revision;
    const three = await write(c.store, key, 'three');
    await c.store.compact(two);
    for (const from of [one, two]) {
      const reader = new WatchReader(c.store, c.prefix, from);
      await expect(reader.events(1)).rejects.toMatchObject({
        code: 'storeCompacted',
        data: { revision: String(two) },
      });
    }
    const reader = new WatchReader(c.store, c.prefix, three);
    expect(await reader.events(1)).toEqual([`+${key}=three`]);
    await reader.stop();
  });

  it('goes on over a compaction of what it has told already', async () => {
    const key = `${c.prefix}key`;
    const { revision } = await c.store.get(key);
    const reader = new WatchReader(c.store, c.prefix, revision + 1n);
    await write(c.store, key, 'one');
    const two = await write(c.store, key, 'two');
    await reader.events(2);
    await c.store.compact(two);
    await write(c.store, key, 'three');
    expect(await reader.events(3)).toEqual([`+${key}=one`, `+${key}=two`, `+${key}=three`]);
    await reader.stop();
  });

  it('is over when its signal fires, also one that had fired before, or when the iteration is left', async () => {
    const { revision } = await c.store.get(c.prefix);
    const reader = new WatchReader(c.store, c.prefix, revision + 1n);
    await write(c.store, `${c.prefix}key`, 'one');
    await reader.events(1);
    expect(await reader.stop()).toBeUndefined();
    const watch = c.store.watch(c.prefix, revision + 1n, { signal: AbortSignal.abort() });
    expect(await watch[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    for await (const batch of c.store.watch(c.prefix, revision + 1n)) {
      expect(batch.revision).toBe(revision + 1n);
      break;
    }
  });

  it('refuses a revision before the first', async () => {
    const watch = c.store.watch(c.prefix, 0n)[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ code: 'invalidParams' });
  });
}
