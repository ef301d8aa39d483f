/** Sessions: their entries go when they end, and whoever holds one knows by the deadline at the latest. */
import { expect, it } from 'vitest';
import type { SessionId, StoreSession } from '../../../src/store/store.ts';
import { bytes, read, WatchReader, write, type ContractContext } from './context.ts';

/** The shortest that etcd grants with its default election time-out of 1 s. */
const shortTtl = 2;

export function describeSessions(c: ContractContext): void {
  it('deletes the entries of a session that is closed, all in one revision, and no others', async () => {
    const session = await c.store.openSession(60);
    const other = await c.store.openSession(60);
    const first = await hold(c, session, 'b', 'a', 'kept');
    await hold(c, other, 'other');
    // A put without the session takes the entry out of it.
    await write(c.store, `${c.prefix}kept`, 'kept');
    const reader = new WatchReader(c.store, c.prefix, first);
    await session.close();
    await reader.events(7);
    const last = reader.batches.at(-1);
    expect(last?.events.map(({ type, key }) => [type, key])).toEqual([
      ['delete', `${c.prefix}a`],
      ['delete', `${c.prefix}b`],
    ]);
    expect(last?.events[0]?.previous).toMatchObject({ session: session.id });
    expect((await c.store.list(c.prefix)).entries.map(({ key }) => key)).toEqual([
      `${c.prefix}kept`,
      `${c.prefix}other`,
    ]);
    await session.close();
    await reader.stop();
    await other.close();
  });

  it('tells of an entry whose session it is, until another one takes it over', async () => {
    const session = await c.store.openSession(60);
    const other = await c.store.openSession(60);
    await hold(c, session, 'key');
    expect((await c.store.get(`${c.prefix}key`)).entry?.session).toBe(session.id);
    await hold(c, other, 'key');
    expect((await c.store.get(`${c.prefix}key`)).entry?.session).toBe(other.id);
    await session.close();
    expect(await read(c.store, `${c.prefix}key`)).toBe('key');
    await other.close();
    expect(await read(c.store, `${c.prefix}key`)).toBeUndefined();
  });

  it('tells its holder when somebody else has ended it', async () => {
    const session = await c.store.openSession(shortTtl);
    await hold(c, session, 'key');
    const other = await c.another();
    const adopted = await other.adoptSession(session.id);
    expect(adopted.ttlMs).toBe(session.ttlMs);
    await adopted.close();
    expect(await read(c.store, `${c.prefix}key`)).toBeUndefined();
    expect(await fired(session)).toMatchObject({ code: 'sessionLost', data: { session: session.id } });
    await expect(session.renew()).rejects.toMatchObject({ code: 'sessionLost' });
    await session.close();
  });

  it('puts nothing for a session that has ended, nor for one that never was', async () => {
    const session = await c.store.openSession(60);
    await session.close();
    expect(await fired(session)).toMatchObject({ code: 'sessionLost' });
    const { revision } = await c.store.get(`${c.prefix}key`);
    for (const id of [session.id, '6d79' as SessionId]) {
      const ops = [
        { op: 'put', key: `${c.prefix}free`, value: bytes('') },
        { op: 'put', key: `${c.prefix}held`, value: bytes(''), session: id },
      ] as const;
      await expect(c.store.txn([], ops)).rejects.toMatchObject({ code: 'sessionLost', data: { session: id } });
      // On the way that is not taken it does no harm.
      expect(await c.store.txn([], [], ops)).toMatchObject({ succeeded: true });
    }
    expect(await c.store.get(`${c.prefix}free`)).toEqual({ revision });
    await expect(c.store.adoptSession('6d79' as SessionId)).rejects.toMatchObject({ code: 'sessionLost' });
  });

  it('refuses a TTL that is no whole number of seconds from 1 on', async () => {
    for (const ttl of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(c.store.openSession(ttl)).rejects.toMatchObject({ code: 'invalidParams' });
  });
}

/** What waits for the clock. */
export function describeExpiry(c: ContractContext): void {
  it('renews itself, beyond its TTL, and moves its deadline with each renewal', async () => {
    const renewed: number[] = [];
    const session = await c.store.openSession(shortTtl, { onRenewed: (deadline) => renewed.push(deadline) });
    await hold(c, session, 'key');
    const first = session.deadline();
    expect(session.ttlMs).toBeGreaterThanOrEqual(shortTtl * 1000);
    expect(first).toBeLessThanOrEqual(performance.now() + session.ttlMs);
    await expect.poll(() => session.deadline() - first, { timeout: 15_000 }).toBeGreaterThan(1.3 * session.ttlMs);
    expect(session.lost.aborted).toBe(false);
    expect(await read(c.store, `${c.prefix}key`)).toBe('key');
    expect(renewed.length).toBeGreaterThanOrEqual(3);
    expect(renewed).toEqual(renewed.toSorted((a, b) => a - b));
    const before = session.deadline();
    await session.renew();
    expect(session.deadline()).toBeGreaterThan(before);
    await session.close();
  });

  it('ends a session that is renewed no more, and its entries with it', async () => {
    const store = await c.another();
    const session = await store.openSession(shortTtl);
    const revision = await hold(c, session, 'key');
    const reader = new WatchReader(c.store, c.prefix, revision + 1n);
    session.release();
    const released = performance.now();
    expect(await reader.events(1)).toEqual([`-${c.prefix}key`]);
    // Not before the deadline that its holder goes by.
    expect(performance.now()).toBeGreaterThanOrEqual(session.deadline());
    expect(performance.now() - released).toBeLessThan(session.ttlMs + 5_000);
    expect(session.lost.aborted).toBe(false);
    await expect(c.store.adoptSession(session.id)).rejects.toMatchObject({ code: 'sessionLost' });
    await reader.stop();
  });

  it('goes on in another client that has adopted it', async () => {
    const first = await c.another();
    const session = await first.openSession(shortTtl);
    await hold(c, session, 'key');
    session.release();
    await first.close();
    const adopted = await c.store.adoptSession(session.id);
    const before = adopted.deadline();
    await expect.poll(() => adopted.deadline() - before, { timeout: 15_000 }).toBeGreaterThan(1.2 * adopted.ttlMs);
    expect(await read(c.store, `${c.prefix}key`)).toBe('key');
    await adopted.close();
    expect(await read(c.store, `${c.prefix}key`)).toBeUndefined();
  });
}

async function hold(c: ContractContext, session: StoreSession, ...names: string[]): Promise<bigint> {
  const ops = names.map(
    (name) => ({ op: 'put', key: `${c.prefix}${name}`, value: bytes(name), session: session.id }) as const,
  );
  return (await c.store.txn([], ops)).revision;
}

function fired(session: StoreSession): Promise<unknown> {
  return new Promise((resolve) => {
    if (session.lost.aborted) resolve(session.lost.reason);
    session.lost.addEventListener('abort', () => resolve(session.lost.reason));
  });
}
