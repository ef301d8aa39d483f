import { describe, expect, it } from 'vitest';
import { readClaims } from '../../src/coordination/claims.ts';
import type { Hold } from '../../src/coordination/hold.ts';
import { acquireLock } from '../../src/coordination/lock.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import { acquireSemaphore } from '../../src/coordination/semaphore.ts';
import { FaultyStore, type Fault } from './faulty-store.ts';
import { failureOf, makeStage, must, worlds } from './fixture.ts';

const stateOf = async ({ store }: Participant): Promise<string[]> =>
  (await readClaims(store)).map(({ party, state }) => `${party.gpid} ${state}`);

/** So many stand in some queue. */
async function untilQueued(by: Participant, count: number): Promise<void> {
  await expect.poll(async () => (await stateOf(by)).length, { interval: 5 }).toBe(count);
}

describe.each(Object.keys(worlds))('a lock on %s', (name) => {
  const { join } = makeStage(worlds[name] ?? raise);

  it('goes to who came first, then to the next in their order, with tokens that grow', async () => {
    const members = [await join(1), await join(2), await join(3), await join(4)];
    const [first] = members as [Participant];
    const order: number[] = [];
    const tokens: bigint[] = [];
    const turns = [];
    for (const [index, member] of members.entries()) {
      turns.push(
        acquireLock(member, 'build').then(async (held) => {
          order.push(member.party.gpid);
          tokens.push(must(held).token);
          await must(held).release();
        }),
      );
      if (index === 0) await turns[0];
      else await untilQueuedOrDone(first, index, order);
    }
    await Promise.all(turns);
    expect(order).toEqual([1, 2, 3, 4]);
    expect(tokens).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(tokens).size).toBe(4);
    expect((await first.store.list('')).entries).toEqual([]);
  });

  it('that is taken is not waited for with --try, and no longer than the time-out', async () => {
    const [holder, other] = [await join(), await join()];
    const held = must(await acquireLock(holder, 'a/b%c'));
    const before = (await holder.store.list('')).revision;
    expect(await acquireLock(other, 'a/b%c', { timeoutMs: 0 })).toBeUndefined();
    expect((await holder.store.list('')).revision).toBe(before);
    expect(await acquireLock(other, 'a/b%c', { timeoutMs: 30 })).toBeUndefined();
    expect(await stateOf(holder)).toHaveLength(1);
    await held.release();
    must(await acquireLock(other, 'a/b%c', { timeoutMs: 0 }));
  });

  it('is held by shared ones together, by an exclusive one alone, in the order in which they came', async () => {
    const [a, b, writer, late] = [await join(1), await join(2), await join(3), await join(4)];
    const first = must(await acquireLock(a, 'file', { shared: true }));
    const second = must(await acquireLock(b, 'file', { shared: true }));
    const writing = acquireLock(writer, 'file');
    await untilQueued(a, 3);
    const reading = acquireLock(late, 'file', { shared: true });
    await untilQueued(a, 4);
    expect(await stateOf(a)).toEqual(['1 holds', '2 holds', '3 waits', '4 waits']);
    await second.release();
    expect(await stateOf(a)).toEqual(['1 holds', '3 waits', '4 waits']);
    await first.release();
    const written = must(await writing);
    expect(await stateOf(a)).toEqual(['3 holds', '4 waits']);
    await written.release();
    await must(await reading).release();
  });

  it('passes on where a waiter goes, or a holder dies', async () => {
    const [a, b, c] = [await join(1), await join(2), await join(3)];
    must(await acquireLock(a, 'x'));
    const leaving = new AbortController();
    const left = failureOf(acquireLock(b, 'x', { signal: leaving.signal }));
    await untilQueued(a, 2);
    const waiting = acquireLock(c, 'x');
    await untilQueued(a, 3);
    leaving.abort(new Error('no more'));
    expect(await left).toMatchObject({ message: 'no more' });
    await untilQueued(c, 2);
    await a.session.close();
    expect(must(await waiting).token).toBeGreaterThan(0n);
    expect(await stateOf(c)).toEqual(['3 holds']);
  });

  it('tells a holder and a waiter that their session has ended', async () => {
    const [a, b] = [await join(), await join()];
    const held = must(await acquireLock(a, 'x'));
    const waiting = failureOf(acquireLock(b, 'x'));
    await untilQueued(a, 2);
    await b.session.close();
    expect(await waiting).toMatchObject({ code: 'sessionLost' });
    await a.session.close();
    expect(held.lost.aborted).toBe(true);
    expect(held.lost.reason).toMatchObject({ code: 'sessionLost' });
    await held.release();
  });

  it('refuses the write of a holder that is one no more, and does it for one that is', async () => {
    const [a, b] = [await join(), await join()];
    const old = must(await acquireLock(a, 'x'));
    const next = acquireLock(b, 'x');
    await old.txn([], [{ op: 'put', key: 'order', value: Buffer.from('old') }]);
    // The store ends the session of a, which is paused and does not know.
    const paused: Hold = old;
    const claim = must((await readClaims(b.store)).find(({ id }) => id === paused.id));
    await b.store.txn([], [{ op: 'delete', key: claim.key }]);
    const held = must(await next);
    await held.txn([], [{ op: 'put', key: 'order', value: Buffer.from('new') }]);
    expect(paused.lost.aborted).toBe(false);
    await expect(paused.txn([], [{ op: 'put', key: 'order', value: Buffer.from('late') }])).rejects.toMatchObject({
      code: 'staleToken',
    });
    expect(held.token > paused.token).toBe(true);
    expect(Buffer.from((await b.store.get('order')).entry?.value ?? []).toString()).toBe('new');
    const unmet = await held.txn([{ key: 'order', on: 'version', to: 9n }], [], [{ op: 'get', key: 'order' }]);
    expect(unmet).toMatchObject({ succeeded: false, results: [{ op: 'get', entry: { key: 'order' } }] });
    await held.release();
    await expect(held.txn([], [])).rejects.toMatchObject({ code: 'staleToken' });
  });

  it.each<Fault>(['lost', 'unsent', 'late'])('is claimed once where an answer is %s', async (fault) => {
    const plan: Fault[] = [fault, fault, 'none'];
    let store: FaultyStore | undefined;
    const a = await join(1, {
      wrap: (inner) => (store = new FaultyStore(inner, { onWrite: () => plan.shift() ?? 'none' })),
    });
    const b = await join(2);
    const held = must(await acquireLock(a, 'x'));
    await store?.deliver();
    expect(await stateOf(b)).toEqual(['1 holds']);
    plan.push(fault, 'none');
    await held.release();
    // What was on its way comes now; nobody may stand in the queue for it.
    await store?.deliver();
    expect(await stateOf(b)).toEqual([]);
    await must(await acquireLock(b, 'x', { timeoutMs: 0 })).release();
  });
});

describe.each(Object.keys(worlds))('a semaphore on %s', (name) => {
  const { join } = makeStage(worlds[name] ?? raise);

  it('is held by N at once, and by the next as soon as any of them goes', async () => {
    const members = [await join(1), await join(2), await join(3), await join(4), await join(5)];
    const [a] = members as [Participant];
    const holds = await Promise.all(members.slice(0, 3).map((member) => acquireSemaphore(member, 's', 3)));
    const waiting = members.slice(3).map((member) => acquireSemaphore(member, 's', 3));
    await untilQueued(a, 5);
    expect((await stateOf(a)).filter((text) => text.endsWith('holds'))).toHaveLength(3);
    await must(holds[1]).release();
    await must(holds[2]).release();
    for (const hold of await Promise.all(waiting)) await must(hold).release();
    await must(holds[0]).release();
    expect((await a.store.list('')).entries).toEqual([]);
  });

  it('of another size is refused, naming both, while it is in use, and taken afterwards', async () => {
    const [a, b] = [await join(30004711), await join()];
    const held = must(await acquireSemaphore(a, 's', 2));
    for (const timeoutMs of [0, 1_000]) {
      await expect(acquireSemaphore(b, 's', 3, { timeoutMs })).rejects.toMatchObject({
        code: 'sizeDiffers',
        message: expect.stringMatching(/'s' is in use with -n 2, as for 30004711 on n3 .*, not with -n 3/) as unknown,
      });
    }
    await held.release();
    const three = must(await acquireSemaphore(b, 's', 3));
    // A holder that dies leaves the number behind, which keeps nobody from another.
    await b.session.close();
    await three.release();
    await must(await acquireSemaphore(a, 's', 1)).release();
  });
});

async function untilQueuedOrDone(by: Participant, index: number, order: readonly number[]): Promise<void> {
  await expect.poll(async () => (await stateOf(by)).length + order.length, { interval: 5 }).toBeGreaterThan(index);
}

function raise(): never {
  throw new Error('no such world');
}
