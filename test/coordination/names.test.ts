import { describe, expect, it } from 'vitest';
import { campaign, observeLeader } from '../../src/coordination/election.ts';
import { deleteValue, getValue, listValues, putValue, watchValues } from '../../src/coordination/key-value.ts';
import { awaitName, findName, listNames, registerName, watchName } from '../../src/coordination/names.ts';
import { FaultyStore, type Fault } from './faulty-store.ts';
import { makeStage, must, worlds } from './fixture.ts';

const text = (value: Uint8Array): string => Buffer.from(value).toString('utf8');

describe.each(Object.keys(worlds))('names on %s', (name) => {
  const { join } = makeStage(worlds[name] ?? raise);

  it('are one process’s, found by others, and free as soon as it goes', async () => {
    const [a, b] = [await join(30004711), await join()];
    const waiting = awaitName(b.store, 'db/primary', new AbortController().signal);
    const registration = await registerName(a, 'db/primary', 'web1:5432');
    expect(await waiting).toMatchObject({ name: 'db/primary', party: { gpid: 30004711, says: 'web1:5432' } });
    await expect(registerName(b, 'db/primary')).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining('is taken by 30004711 on n3') as unknown,
    });
    await registerName(b, 'db/replica');
    expect((await listNames(a.store, 'db/')).map((each) => each.name)).toEqual(['db/primary', 'db/replica']);
    await registration.release();
    expect(await findName(b.store, 'db/primary')).toBeUndefined();
    const again = await registerName(b, 'db/primary');
    expect(again.token > registration.token).toBe(true);
    await registration.release();
    expect(await findName(b.store, 'db/primary')).toMatchObject({ token: again.token });
    await b.session.close();
    expect(again.lost.aborted).toBe(true);
    expect(await listNames(a.store)).toEqual([]);
  });

  it('are watched from what is on', async () => {
    const [a, b] = [await join(1), await join(2)];
    const over = new AbortController();
    const told: (number | undefined)[] = [];
    const watching = (async () => {
      for await (const found of watchName(b.store, 'x', over.signal)) told.push(found?.party.gpid);
    })();
    await expect.poll(() => told).toEqual([undefined]);
    const registration = await registerName(a, 'x');
    await expect.poll(() => told).toEqual([undefined, 1]);
    await registration.release();
    await expect.poll(() => told).toEqual([undefined, 1, undefined]);
    over.abort();
    await watching;
  });

  it.each<Fault>(['lost', 'unsent', 'late'])('are registered once where an answer is %s', async (fault) => {
    const plan: Fault[] = [fault, 'none'];
    let store: FaultyStore | undefined;
    const a = await join(1, {
      wrap: (inner) => (store = new FaultyStore(inner, { onWrite: () => plan.shift() ?? 'none' })),
    });
    const registration = await registerName(a, 'x', 'here');
    await registration.release();
    await store?.deliver();
    expect(await listNames(a.store)).toEqual([]);
  });
});

describe.each(Object.keys(worlds))('an election on %s', (name) => {
  const { join } = makeStage(worlds[name] ?? raise);

  it('has one leader after the other, whom everybody sees, and refuses the orders of an old one', async () => {
    const [a, b, c] = [await join(1), await join(2), await join(3)];
    const over = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const leader of observeLeader(c.store, 'boss', over.signal))
        seen.push(leader === undefined ? '-' : `${leader.party.gpid}${leader.party.says ?? ''}`);
    })();
    await expect.poll(() => seen).toEqual(['-']);
    const old = must(await campaign(a, 'boss'));
    await old.tell('@here');
    await expect.poll(() => seen.at(-1)).toBe('1@here');
    const next = campaign(b, 'boss');
    await expect.poll(async () => (await c.store.list('election/')).entries.length).toBe(2);
    // As the store does it when the session of a paused leader runs out: the leader itself knows nothing of it.
    await c.store.txn([], [{ op: 'delete', key: old.guard.key }]);
    const leader = must(await next);
    await expect.poll(() => seen.at(-1)).toBe('2');
    await leader.txn([], [{ op: 'put', key: 'order', value: Buffer.from('2') }]);
    await expect(old.txn([], [{ op: 'put', key: 'order', value: Buffer.from('1') }])).rejects.toMatchObject({
      code: 'staleToken',
    });
    await expect(old.tell('still me')).rejects.toMatchObject({ code: 'staleToken' });
    expect(text(must((await c.store.get('order')).entry).value)).toBe('2');
    await leader.release();
    await expect.poll(() => seen.at(-1)).toBe('-');
    over.abort();
    await watching;
  });
});

describe.each(Object.keys(worlds))('key and value on %s', (name) => {
  const { join } = makeStage(worlds[name] ?? raise);
  const bytes = (content: string): Uint8Array => Buffer.from(content);

  it('are put, compared, listed and deleted', async () => {
    const { store } = await join();
    expect(await getValue(store, 'a')).toBeUndefined();
    const first = must(await putValue(store, 'a', bytes('1'), { ifRevision: 0n }));
    expect(await putValue(store, 'a', bytes('2'), { ifRevision: 0n })).toBeUndefined();
    const second = must(await putValue(store, 'a', bytes('2'), { ifRevision: first }));
    await putValue(store, 'a/b', bytes('3'));
    expect(must(await getValue(store, 'a'))).toMatchObject({ key: 'a', revision: second });
    expect((await listValues(store, 'a')).values.map(({ key, value }) => [key, text(value)])).toEqual([
      ['a', '2'],
      ['a/b', '3'],
    ]);
    expect(await deleteValue(store, 'a', { ifRevision: first })).toBe(false);
    expect(await deleteValue(store, 'a')).toBe(true);
    expect(await deleteValue(store, 'a')).toBe(false);
    await expect(putValue(store, '', bytes(''))).rejects.toMatchObject({ code: 'usage' });
  });

  it('are watched: what is there first, then each change', async () => {
    const { store } = await join();
    await putValue(store, 'k/1', bytes('old'));
    const over = new AbortController();
    const told: string[] = [];
    const watching = (async () => {
      for await (const change of watchValues(store, 'k/', over.signal))
        told.push(
          change.type === 'put' ? `${change.key}=${text(change.value)}${change.isFirst ? '!' : ''}` : `-${change.key}`,
        );
    })();
    await expect.poll(() => told).toEqual(['k/1=old!']);
    await putValue(store, 'k/2', bytes('a'));
    await putValue(store, 'other', bytes('a'));
    await deleteValue(store, 'k/1');
    await expect.poll(() => told).toEqual(['k/1=old!', 'k/2=a', '-k/1']);
    over.abort();
    await watching;
  });
});

function raise(): never {
  throw new Error('no such world');
}
