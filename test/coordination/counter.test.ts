import { describe, expect, it } from 'vitest';
import { addToCounter, changeCounter, readCounter } from '../../src/coordination/counter.ts';
import { makeRandom } from '../ids/random.ts';
import { FaultyStore, type Fault } from './faulty-store.ts';
import { failureOf, makeStage, worlds } from './fixture.ts';

describe.each(Object.keys(worlds))('a counter on %s', (name) => {
  const { join, world } = makeStage(worlds[name] ?? raise);

  it('is 0 before it is changed, and exact beyond 64 bits', async () => {
    const { store } = await join();
    expect(await readCounter(store, 'n')).toEqual({ value: 0n, revision: 0n });
    expect(await addToCounter(store, 'n', -(2n ** 70n))).toMatchObject({ value: -(2n ** 70n) });
    const { value, revision } = await changeCounter(store, 'n', () => 5n);
    expect(value).toBe(5n);
    expect(await readCounter(store, 'n')).toEqual({ value, revision });
    await expect(addToCounter(store, 'n', 10n ** 100n)).rejects.toMatchObject({ code: 'tooLarge' });
  });

  it('counts every change once where many change it at once', async () => {
    const members = await Promise.all(Array.from({ length: 8 }, () => join()));
    const seen = await Promise.all(
      members.map(async ({ store }) => {
        const values: bigint[] = [];
        for (let i = 0; i < 5; i++) values.push((await addToCounter(store, 'n', 1n)).value);
        return values;
      }),
    );
    expect(new Set(seen.flat()).size).toBe(40);
    expect(await readCounter(world().open(), 'n')).toMatchObject({ value: 40n });
  });

  it('counts every change once where answers are lost, and what was late comes in the end', async () => {
    const seed = Number(process.env['NSH_SEED'] ?? Date.now() % 1_000_000);
    const { between, pick } = makeRandom(seed);
    const stores: FaultyStore[] = [];
    const onWrite = (): Fault => (between(1, 3) > 1 ? 'none' : pick(['lost', 'unsent', 'late']));
    const members = await Promise.all(
      Array.from({ length: 4 }, (_, index) =>
        join(index + 1, {
          wrap: (inner) => {
            const store = new FaultyStore(inner, { onWrite });
            stores.push(store);
            return store;
          },
        }),
      ),
    );
    const failures: unknown[] = [];
    const added = await Promise.all(
      members.map(async ({ store }, index) => {
        let count = 0;
        for (let i = 0; i < 8; i++) {
          const failure = await failureOf(addToCounter(store, 'n', 1n));
          if (failure === undefined) count++;
          else failures.push(failure);
          if (i % 3 === 2) await stores[index]?.deliver();
        }
        return count;
      }),
    );
    for (const store of stores) await store.deliver();
    for (const failure of failures) expect(failure, `NSH_SEED=${seed}`).toMatchObject({ code: 'storeUnavailable' });
    const total = added.reduce((sum, count) => sum + count, 0);
    expect((await readCounter(world().open(), 'n')).value, `NSH_SEED=${seed}`).toBe(BigInt(total));
  });

  it('does not pretend to know what the store has forgotten', async () => {
    const other = world().open();
    let fault: Fault = 'late';
    let sent = 0;
    const onWrite = (): Fault => {
      sent++;
      return fault;
    };
    const { store } = await join(1, { wrap: (inner) => new FaultyStore(inner, { onWrite }) });
    const adding = failureOf(addToCounter(store, 'n', 1n));
    await expect.poll(() => sent, { interval: 1 }).toBeGreaterThan(0);
    fault = 'unsent';
    await addToCounter(other, 'n', 5n);
    const { revision } = await addToCounter(other, 'n', 5n);
    await other.compact(revision);
    fault = 'none';
    expect(await adding).toMatchObject({ code: 'storeUnknown' });
    await other.close();
  });
});

function raise(): never {
  throw new Error('no such world');
}
