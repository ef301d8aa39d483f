/** Single keys and lists: what they tell, in which order, at which revision. */
import { expect, it } from 'vitest';
import { bytes, put, read, write, type ContractContext } from './context.ts';

export function describeKeys(c: ContractContext): void {
  it('tells of a key that is not there nothing but the revision of the store', async () => {
    const { entry, revision } = await c.store.get(`${c.prefix}none`);
    expect(entry).toBeUndefined();
    expect(revision).toBeGreaterThanOrEqual(1n);
  });

  it('counts revision and version of a key up with each put, and begins anew after a delete', async () => {
    const key = `${c.prefix}key`;
    const first = await write(c.store, key, 'one');
    expect(await c.store.get(key)).toEqual({
      entry: { key, value: expect.anything() as unknown, createRevision: first, modRevision: first, version: 1n },
      revision: first,
    });
    const second = await write(c.store, key, 'two');
    expect(second).toBe(first + 1n);
    const { entry } = await c.store.get(key);
    expect(entry).toMatchObject({ createRevision: first, modRevision: second, version: 2n });
    await c.store.txn([], [{ op: 'delete', key }]);
    expect((await c.store.get(key)).entry).toBeUndefined();
    const last = await write(c.store, key, 'three');
    expect((await c.store.get(key)).entry).toMatchObject({ createRevision: last, modRevision: last, version: 1n });
    expect(last).toBe(second + 2n);
  });

  it('keeps any bytes as a value, none and a megabyte too', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const large = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => (i * 7919) % 251);
    for (const value of [new Uint8Array(0), all, large]) {
      await c.store.txn([], [{ op: 'put', key: `${c.prefix}k`, value }]);
      const { entry } = await c.store.get(`${c.prefix}k`);
      expect(Buffer.compare(entry?.value ?? bytes('?'), value)).toBe(0);
    }
  });

  it('lists below a prefix in the order of the UTF-8 bytes, and nothing beside it', async () => {
    // In UTF-16, as JavaScript sorts, the last two would change places.
    const names = ['a', 'a/b', 'a0', 'b', 'é', '\uffee', '😀'];
    for (const name of names.toReversed()) await write(c.store, `${c.prefix}in/${name}`, name);
    await write(c.store, `${c.prefix}in`, 'before');
    await write(c.store, `${c.prefix}in0`, 'after');
    const { entries, more } = await c.store.list(`${c.prefix}in/`);
    expect(entries.map(({ key }) => key)).toEqual(names.map((name) => `${c.prefix}in/${name}`));
    expect(more).toBe(false);
    expect((await c.store.list(`${c.prefix}none/`)).entries).toEqual([]);
  });

  it('lists in pages, each after the last key of the one before, and without values where only keys are wanted', async () => {
    await c.store.txn(
      [],
      ['1', '2', '3', '4', '5'].map((name) => put(`${c.prefix}${name}`, name)),
    );
    const first = await c.store.list(c.prefix, { limit: 2, keysOnly: true });
    expect(first.entries.map(({ key, value }) => [key, value.length])).toEqual([
      [`${c.prefix}1`, 0],
      [`${c.prefix}2`, 0],
    ]);
    expect(first.more).toBe(true);
    const rest = await c.store.list(c.prefix, { limit: 3, after: `${c.prefix}2` });
    expect(rest.entries.map(({ key }) => key)).toEqual(['3', '4', '5'].map((name) => `${c.prefix}${name}`));
    expect(rest.more).toBe(false);
    expect((await c.store.list(c.prefix, { after: `${c.prefix}5` })).entries).toEqual([]);
  });

  it('lists the store as it was at an earlier revision', async () => {
    const key = `${c.prefix}key`;
    const before = (await c.store.get(key)).revision;
    const one = await write(c.store, key, 'one');
    const two = await write(c.store, `${c.prefix}other`, 'two');
    const gone = (await c.store.txn([], [{ op: 'deletePrefix', prefix: c.prefix }])).revision;
    const at = async (atRevision: bigint) => {
      const { entries, revision } = await c.store.list(c.prefix, { atRevision });
      expect(revision).toBe(gone);
      return entries.map((entry) => [entry.key, entry.modRevision, entry.version]);
    };
    expect(await at(before)).toEqual([]);
    expect(await at(one)).toEqual([[key, one, 1n]]);
    expect(await at(two)).toEqual([
      [key, one, 1n],
      [`${c.prefix}other`, two, 1n],
    ]);
    expect(await at(gone)).toEqual([]);
    await expect(c.store.list(c.prefix, { atRevision: gone + 1n })).rejects.toMatchObject({ code: 'invalidParams' });
  });

  it('shows a write to another client at once', async () => {
    const other = await c.another();
    for (let i = 0; i < 20; i++) {
      await write(c.store, `${c.prefix}key`, String(i));
      expect(await read(other, `${c.prefix}key`)).toBe(String(i));
    }
  });

  it('forgets what lies before a compaction, and keeps what was in force then', async () => {
    const key = `${c.prefix}key`;
    const one = await write(c.store, key, 'one');
    const two = await write(c.store, key, 'two');
    const three = await write(c.store, key, 'three');
    await c.store.compact(two);
    const compacted = { code: 'storeCompacted', data: { revision: String(two) } };
    await expect(c.store.list(c.prefix, { atRevision: one })).rejects.toMatchObject({ code: 'storeCompacted' });
    const { entries } = await c.store.list(c.prefix, { atRevision: two });
    expect(entries).toMatchObject([{ modRevision: two, version: 2n }]);
    expect((await c.store.get(key)).entry).toMatchObject({ modRevision: three, version: 3n, createRevision: one });
    await expect(c.store.compact(two)).rejects.toMatchObject({ code: 'storeCompacted' });
    await expect(c.store.compact(three + 1n)).rejects.toMatchObject({ code: 'invalidParams' });
    // Which revision it was is told by the watch, for etcd tells nobody else.
    const watch = c.store.watch(c.prefix, two)[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject(compacted);
  });
}
