import { describe, expect, it } from 'vitest';
import { passBarrier } from '../../src/coordination/barrier.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import { FaultyStore, type Fault } from './faulty-store.ts';
import { failureOf, makeStage, must, worlds } from './fixture.ts';

describe.each(Object.keys(worlds))('a barrier on %s', (name) => {
  const { join } = makeStage(worlds[name] ?? raise);
  const untilThere = async ({ store }: Participant, count: number): Promise<void> => {
    const countClaims = async (): Promise<number> =>
      (await store.list('barrier/')).entries.filter(({ key }) => key.endsWith('.x')).length;
    await expect.poll(countClaims, { interval: 5 }).toBe(count);
  };

  it('lets all pass together once all are there, and is used again at once', async () => {
    const members = [await join(), await join(), await join()];
    for (const generation of [1, 2, 3]) {
      const passed = await Promise.all(members.map((member) => passBarrier(member, 'gate', 3)));
      expect(passed.map((each) => must(each).index).sort((a, b) => a - b)).toEqual([0, 1, 2]);
      expect([...new Set(passed.map((each) => must(each).generation))]).toHaveLength(1);
      expect(must(passed[0]).generation).toBeLessThanOrEqual(generation);
    }
    expect((await must(members[0]).store.list('')).entries).toEqual([]);
  });

  it('opens for every N of those who are there, in the order in which they came', async () => {
    const members = await Promise.all(Array.from({ length: 7 }, () => join()));
    const passing = members.map((member) => passBarrier(member, 'gate', 2, { timeoutMs: 300 }));
    const passed = await Promise.all(passing);
    const generations = passed.flatMap((each) => (each === undefined ? [] : [each.generation]));
    expect(generations.sort((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 3]);
    expect((await must(members[0]).store.list('')).entries).toEqual([]);
  });

  it('does not count who has died at the gate, or whose time was over', async () => {
    const [a, b, c, d, e] = [await join(1), await join(2), await join(3), await join(4), await join(5)];
    const first = passBarrier(a, 'gate', 3);
    const dying = failureOf(passBarrier(b, 'gate', 3));
    await untilThere(a, 2);
    await b.session.close();
    expect(await dying).toMatchObject({ code: 'sessionLost' });
    expect(await passBarrier(c, 'gate', 3, { timeoutMs: 20 })).toBeUndefined();
    await untilThere(a, 1);
    const second = passBarrier(d, 'gate', 3);
    await untilThere(a, 2);
    expect(await passBarrier(e, 'gate', 3, { timeoutMs: 0 })).toMatchObject({ generation: 1, index: 2 });
    expect([await first, await second]).toMatchObject([{ index: 0 }, { index: 1 }]);
  });

  it('of another size is refused while somebody waits', async () => {
    const [a, b] = [await join(), await join()];
    const waiting = passBarrier(a, 'gate', 2);
    await untilThere(a, 1);
    await expect(passBarrier(b, 'gate', 3)).rejects.toMatchObject({ code: 'sizeDiffers' });
    await passBarrier(b, 'gate', 2);
    await waiting;
    expect(await passBarrier(a, 'gate', 1)).toMatchObject({ index: 0 });
  });

  it('lets nobody pass alone, whatever answers are lost and whoever runs out of time', async () => {
    const faults: Fault[] = ['none', 'lost', 'none', 'none', 'unsent', 'none', 'late', 'none', 'none'];
    const stores: FaultyStore[] = [];
    const members = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        join(index + 1, {
          wrap: (inner) => {
            let at = index;
            const store = new FaultyStore(inner, { onWrite: () => faults[at++ % faults.length] ?? 'none' });
            stores.push(store);
            return store;
          },
        }),
      ),
    );
    for (let round = 0; round < 3; round++) {
      const passing = members.map((member, index) =>
        passBarrier(member, 'gate', 3, { timeoutMs: 40 + 30 * ((index + round) % 3) }),
      );
      const passed = (await Promise.all(passing)).flatMap((each) => each ?? []);
      // Generations begin at 1 again once nobody was there any more; whoever came after that has a later token.
      passed.sort((a, b) => a.generation - b.generation || Number(a.token - b.token));
      expect(passed.map(({ index }) => index)).toEqual(passed.map((_, at) => at % 3));
      expect(passed.map(({ generation }) => generation)).toEqual(
        passed.map((_, at) => passed[at - (at % 3)]?.generation),
      );
      expect(passed.length % 3).toBe(0);
      for (const store of stores) await store.deliver();
    }
  });
});

function raise(): never {
  throw new Error('no such world');
}
