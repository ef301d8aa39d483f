/** What the embedded store promises beyond the contract: restarts, its lock, its bounds, and a disk that fails. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../agent/store/database.ts';
import { EmbeddedStore } from '../../../agent/store/embedded-store.ts';
import { emptyStore, type Mutation } from '../../../agent/store/state.ts';
import { ClientStore } from '../../../src/store/client-store.ts';
import type { Op, SessionId, Store } from '../../../src/store/store.ts';
import { put, read, WatchReader, write } from '../../store/contract/context.ts';
import { storeDirectory, type StoreDirectory } from './fixture.ts';

let directory: StoreDirectory;
const opened: EmbeddedStore[] = [];
beforeEach(() => {
  directory = storeDirectory();
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  directory.remove();
});

function open(...options: Parameters<StoreDirectory['open']>): EmbeddedStore {
  const store = directory.open(...options);
  opened.push(store);
  return store;
}

const held = (key: string, session: SessionId): Op => ({ op: 'put', key, value: Buffer.from(''), session });

describe('over a restart', () => {
  it('has its entries, its revision and its history still', async () => {
    const first = open();
    const before = new ClientStore(first);
    const one = await write(before, 'key', 'one');
    await write(before, 'gone', 'x');
    await before.txn([], [put('key', 'two'), { op: 'delete', key: 'gone' }]);
    const { entries, revision } = await before.list('');
    await first.close();
    const after = new ClientStore(open());
    expect(await after.list('')).toMatchObject({ entries, revision, more: false });
    const reader = new WatchReader(after, '', one);
    expect(await reader.events(4)).toEqual(['+key=one', '+gone=x', '-gone', '+key=two']);
    expect(await write(after, 'key', 'three')).toBe(revision + 1n);
    expect((await after.get('key')).entry).toMatchObject({ createRevision: one, version: 3n });
    await reader.stop();
  });

  it('gives each session that lived its whole TTL again, and ends it then', async () => {
    const first = open();
    const { id } = await first.grant(1, {});
    const ended = await first.grant(1, {});
    await first.txn([], [held('key', id)], [], {});
    await first.revoke(ended.id, {});
    await first.close();
    const second = open();
    const begin = performance.now();
    const store = new ClientStore(second);
    const reader = new WatchReader(store, 'key', (await store.get('key')).revision + 1n);
    expect(await read(store, 'key')).toBe('');
    expect(await reader.events(1)).toEqual(['-key']);
    expect(performance.now() - begin).toBeGreaterThan(990);
    await expect(second.renew(ended.id, {})).rejects.toMatchObject({ code: 'sessionLost' });
    await reader.stop();
  });

  it('remembers what was compacted', async () => {
    const first = open();
    const store = new ClientStore(first);
    await write(store, 'key', 'one');
    const two = await write(store, 'key', 'two');
    await store.compact(two);
    await first.close();
    const again = new ClientStore(open());
    await expect(again.list('', { atRevision: two - 1n })).rejects.toMatchObject({ data: { revision: String(two) } });
    expect((await again.list('', { atRevision: two })).entries).toHaveLength(1);
  });
});

describe('its files', () => {
  it('are one agent’s: the second is refused and told who has them', async () => {
    const first = open();
    expect(() => directory.open()).toThrow(
      expect.objectContaining({
        code: 'agentFailed',
        message: expect.stringContaining(`is another agent's (PID ${process.pid})`) as unknown,
      }),
    );
    await first.close();
    open();
  });

  it('go to the next one where the last holder was killed', async () => {
    await open().close();
    writeFileSync(join(directory.path, 'lock'), '4194304 1 no-such-boot\n');
    expect(open().hasSessions).toBe(false);
  });

  it('that another agent has taken all the same are written no more', async () => {
    const store = new ClientStore(open());
    await write(store, 'key', 'one');
    // As an agent in another PID namespace would, which cannot see that the holder lives.
    const other = openDatabase({ path: directory.path, owner: 'another', take: true });
    const before = other.load();
    await expect(write(store, 'key', 'two')).rejects.toMatchObject({ code: 'storeUnavailable' });
    await expect(read(store, 'key')).rejects.toMatchObject({
      code: 'storeUnavailable',
      message: expect.stringContaining('another agent has opened the same files') as unknown,
    });
    expect(other.load()).toEqual(before);
    await other.close();
  });

  it('of a later format are not touched', async () => {
    const store = open();
    await store.txn([], [put('key', '')], [], {});
    await store.close();
    opened.splice(0);
    const { open: openRoot } = await import('lmdb');
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    const root = openRoot<Buffer, Buffer>({ ...binary, path: directory.path, noSubdir: false, maxDbs: 8 });
    await root
      .openDB<Buffer, Buffer>({ ...binary, name: 'meta' })
      .put(Buffer.from('format'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 9]));
    await root.close();
    expect(() => directory.open()).toThrow(/its format is 9, not 1/);
  });
});

describe('its history', () => {
  it('is bounded: the oldest revisions go, and who stands there is told so', async () => {
    const store = new ClientStore(open({ limits: { maxRevisions: 16 } }));
    const first = await write(store, 'key', '0');
    const slow = store.watch('', first)[Symbol.asyncIterator]();
    expect(await slow.next()).toMatchObject({ value: { revision: first } });
    let last = first;
    for (let i = 1; i <= 40; i++) last = await write(store, 'key', String(i));
    await expect(slow.next()).rejects.toMatchObject({ code: 'storeCompacted' });
    const old = new WatchReader(store, '', last - 16n);
    await expect(old.events(1)).rejects.toMatchObject({ code: 'storeCompacted' });
    const recent = new WatchReader(store, '', last - 13n);
    expect(await recent.events(14)).toHaveLength(14);
    expect(await read(store, 'key')).toBe('40');
    await recent.stop();
  });

  it('is no bound for a watch that has nothing to tell: it says how far it is', async () => {
    const embedded = open({ limits: { maxRevisions: 1_000 } });
    const store = new ClientStore(embedded);
    const controller = new AbortController();
    const first = await write(store, 'quiet/key', '0');
    const told: bigint[] = [];
    const reading = (async () => {
      for await (const { revision, events } of embedded.watch('quiet/', first + 1n, controller.signal)) {
        expect(events).toEqual([]);
        told.push(revision);
      }
    })();
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 100 }, () => write(store, 'loud', '')));
    await expect.poll(() => told.length).toBe(4);
    controller.abort();
    await reading;
    expect(told).toEqual([500n, 1_000n, 1_500n, 2_000n].map((count) => first + count));
    // Who begins anew where it began is told that it is too late; who begins behind what it was told, is not.
    await expect(new WatchReader(store, 'quiet/', first + 1n).events(1)).rejects.toMatchObject({
      code: 'storeCompacted',
    });
    const again = new WatchReader(store, 'quiet/', first + 2_001n);
    await write(store, 'quiet/key', '1');
    expect(await again.events(1)).toEqual(['+quiet/key=1']);
    await again.stop();
  });

  it('is bounded in bytes too, but always has the newest revision', async () => {
    const store = new ClientStore(open({ limits: { maxBytes: 100_000 } }));
    const value = Buffer.alloc(60_000);
    let last = 0n;
    for (const key of ['a', 'b', 'c']) last = (await store.txn([], [{ op: 'put', key, value }])).revision;
    const reader = new WatchReader(store, '', last);
    expect(await reader.events(1)).toHaveLength(1);
    await expect(new WatchReader(store, '', last - 1n).events(1)).rejects.toMatchObject({ code: 'storeCompacted' });
    await reader.stop();
  });
});

it('refuses what is more than it may hold, and takes it once something was deleted', async () => {
  const store = new ClientStore(open({ limits: { maxTotalBytes: 100_000 } }));
  const value = Buffer.alloc(60_000);
  await store.txn([], [{ op: 'put', key: 'a', value }]);
  await expect(store.txn([], [{ op: 'put', key: 'b', value }])).rejects.toMatchObject({ code: 'tooLarge' });
  await store.txn([], [{ op: 'put', key: 'a', value }]);
  await store.txn([], [{ op: 'delete', key: 'a' }]);
  await store.txn([], [{ op: 'put', key: 'b', value }]);
});

/** A disk whose writes are let through, or fail, when the test says so. */
class HeldDisk implements Database {
  readonly written: (readonly Mutation[])[] = [];
  readonly waiting: { pass: () => void; fail: (error: Error) => void }[] = [];
  isHeld = true;
  load = () => emptyStore;
  close = async (): Promise<void> => await Promise.resolve();

  async write(mutations: readonly Mutation[]): Promise<void> {
    if (this.isHeld) await new Promise<void>((resolve, reject) => this.waiting.push({ pass: resolve, fail: reject }));
    this.written.push(mutations);
  }
}

const untilWaiting = async ({ waiting }: HeldDisk): Promise<void> => {
  await expect.poll(() => waiting.length).toBe(1);
};

describe('the disk', () => {
  const onDisk = (disk: Database): { readonly embedded: EmbeddedStore; readonly store: Store } => {
    const embedded = new EmbeddedStore({ openDatabase: () => disk, node: 'n1' });
    opened.push(embedded);
    return { embedded, store: new ClientStore(embedded) };
  };
  /** Whether it is still under way after all that could have settled it has had its turn. */
  const isOpen = async (work: Promise<unknown>): Promise<boolean> => {
    const turn = new Promise((resolve) => {
      setImmediate(() => setImmediate(resolve, 'open'));
    });
    return (await Promise.race([work, turn])) === 'open';
  };

  it('has a change before it is answered, shown to a reader, or told to a watch', async () => {
    const disk = new HeldDisk();
    const { store } = onDisk(disk);
    const reader = new WatchReader(store, '', 1n + 1n);
    const writing = write(store, 'key', 'one');
    const refused = store.txn([{ key: 'key', on: 'version', to: 0n }], [], [{ op: 'get', key: 'key' }]);
    await untilWaiting(disk);
    for (const work of [writing, refused]) expect(await isOpen(work)).toBe(true);
    expect(await read(store, 'key')).toBeUndefined();
    expect(reader.batches).toEqual([]);
    disk.waiting.pop()?.pass();
    expect(await writing).toBe(2n);
    expect(await read(store, 'key')).toBe('one');
    expect(await refused).toMatchObject({ succeeded: false });
    expect(await reader.events(1)).toEqual(['+key=one']);
    disk.isHeld = false;
    await reader.stop();
  });

  it('keeps no reader waiting: each is told all of one revision that is there', async () => {
    const disk = new HeldDisk();
    disk.isHeld = false;
    const { store } = onDisk(disk);
    await store.txn([], [put('k/1', 'one'), put('k/2', 'one')]);
    const revision = await write(store, 'k/3', 'one');
    disk.isHeld = true;
    const writing = store.txn([], [put('k/1', 'two'), { op: 'delete', key: 'k/2' }, put('k/4', 'two')]);
    await untilWaiting(disk);
    const texts = async (): Promise<string[]> =>
      (await store.list('k/')).entries.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`);
    const reads: Op[] = [
      { op: 'get', key: 'k/1' },
      { op: 'get', key: 'k/4' },
      { op: 'list', prefix: 'k/', limit: 1 },
    ];
    expect(await texts()).toEqual(['k/1=one', 'k/2=one', 'k/3=one']);
    const one = expect.objectContaining({ value: Uint8Array.from(Buffer.from('one')) }) as unknown;
    expect(await store.txn([], reads)).toEqual({
      succeeded: true,
      revision,
      results: [{ op: 'get', entry: one }, { op: 'get' }, { op: 'list', entries: [one], more: true }],
    });
    expect((await store.get('k/2')).entry).toBeDefined();
    await expect(store.list('k/', { atRevision: revision + 1n, deadlineMs: 20 })).rejects.toMatchObject({
      code: 'storeUnavailable',
    });
    disk.isHeld = false;
    disk.waiting.pop()?.pass();
    await writing;
    expect(await texts()).toEqual(['k/1=two', 'k/3=one', 'k/4=two']);
  });

  it('is flushed once for all that came meanwhile', async () => {
    const disk = new HeldDisk();
    const { store } = onDisk(disk);
    const first = write(store, 'key', '0');
    await untilWaiting(disk);
    const others = Array.from({ length: 100 }, (_, i) => write(store, `key${i}`, '1'));
    disk.isHeld = false;
    disk.waiting.pop()?.pass();
    await Promise.all([first, ...others]);
    expect(disk.written.map(({ length }) => length)).toEqual([1, 100]);
  });

  it('that does not answer in time leaves a write unknown, and a read undone', async () => {
    const disk = new HeldDisk();
    const { store } = onDisk(disk);
    const writing = store.txn([], [put('key', '')], [], { deadlineMs: 50 });
    const comparing = store.txn([{ key: 'key', on: 'version', to: 0n }], [], [], { deadlineMs: 20 });
    await expect(comparing).rejects.toMatchObject({ code: 'storeUnavailable' });
    await expect(writing).rejects.toMatchObject({ code: 'storeUnknown' });
    disk.isHeld = false;
    disk.waiting.pop()?.pass();
  });

  it('tells who reads after such a write what has become of it', async () => {
    const disk = new HeldDisk();
    const { store } = onDisk(disk);
    await expect(store.txn([], [put('key', 'one')], [], { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'storeUnknown',
    });
    const reading = read(store, 'key');
    expect(await isOpen(reading)).toBe(true);
    disk.isHeld = false;
    disk.waiting.pop()?.pass();
    expect(await reading).toBe('one');
    expect(await isOpen(read(store, 'key'))).toBe(false);
  });

  it('that fails leaves unknown what was on its way and undoes what was not, and is tried again', async () => {
    let database = new HeldDisk();
    const embedded = new EmbeddedStore({ openDatabase: () => database, node: 'n1' });
    opened.push(embedded);
    const store = new ClientStore(embedded);
    const tried = write(store, 'tried', '');
    await untilWaiting(database);
    const behind = write(store, 'behind', '');
    const reading = store.txn([{ key: 'tried', on: 'version', to: 0n }], []);
    const outcomes = Promise.allSettled([tried, behind, reading]);
    const failed = database;
    database = new HeldDisk();
    database.isHeld = false;
    failed.waiting.pop()?.fail(new Error('no space left'));
    expect((await outcomes).map((outcome) => (outcome as { reason?: { code?: string } }).reason?.code)).toEqual([
      'storeUnknown',
      'storeUnavailable',
      'storeUnavailable',
    ]);
    await expect(write(store, 'key', '')).rejects.toMatchObject({
      code: 'storeUnavailable',
      message: expect.stringContaining('no space left') as unknown,
    });
    expect(await store.status()).toMatchObject({ health: 'down' });
    await expect.poll(async () => (await store.status()).health, { timeout: 5_000 }).toBe('ok');
    expect((await store.list('')).entries).toEqual([]);
    await write(store, 'key', 'two');
    expect(await read(store, 'key')).toBe('two');
  });

  it('keeps nothing of a write that breaks off in the middle', async () => {
    await write(new ClientStore(open()), 'key', 'one');
    await opened.pop()?.close();
    const database = openDatabase({ path: directory.path, owner: 'me', take: true });
    const before = database.load();
    const batch = { revision: 9n, events: [{ type: 'put', key: 'key' }] } as unknown as NonNullable<Mutation['batch']>;
    const good: Mutation = { opened: { id: 'a1' as SessionId, ttlSeconds: 5 } };
    await expect(database.write([good, { batch }])).rejects.toThrow(/undefined/);
    expect(database.load()).toEqual(before);
    await database.close();
  });
});
