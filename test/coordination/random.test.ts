/**
 * Many contenders at random, over a store that loses answers, delays writes and ends sessions. NSH_SEED=N repeats a run, NSH_ROUNDS=N makes
 * it longer.
 */
import { describe, expect, it } from 'vitest';
import { makeRandom } from '../ids/random.ts';
import { contend, kinds, Witness, type Acquire } from './contenders.ts';
import { FaultyStore, type Fault } from './faulty-store.ts';
import { makeStage, worlds } from './fixture.ts';

const rounds = Number(process.env['NSH_ROUNDS'] ?? 6);
const contenders = 12;

describe.each(Object.keys(worlds))('on %s', (name) => {
  const { join, world } = makeStage(worlds[name] ?? raise);

  it.each(Object.keys(kinds))(
    'a %s is held by no more than may, granted in the order of the tokens, and never left waiting for nobody',
    async (kindName) => {
      const kind = kinds[kindName] ?? raise();
      const seed = Number(process.env['NSH_SEED'] ?? Date.now() % 1_000_000);
      const random = makeRandom(seed);
      const stores: FaultyStore[] = [];
      const faults: readonly [Fault, ...Fault[]] = ['lost', 'unsent', 'late'];
      const onWrite = (): Fault => (random.between(1, 12) === 1 ? random.pick(faults) : 'none');
      const wrap = (inner: ConstructorParameters<typeof FaultyStore>[0]): FaultyStore => {
        const store = new FaultyStore(inner, { onWrite });
        stores.push(store);
        return store;
      };
      const witness = new Witness(kind.size);
      const isShared = kindName === 'read-write lock';
      const acquire: Acquire = (participant, shared, options) => kind.acquire(participant, isShared && shared, options);
      const late = setInterval(() => {
        for (const store of stores) void store.deliver();
        // Watches find their past forgotten.
        if (random.between(1, 4) === 1)
          void stores[0]
            ?.get('x')
            .then(({ revision }) => stores[0]?.compact(revision))
            .catch(() => undefined);
      }, 7);
      let gpid = 0;
      const work = Array.from({ length: contenders }, () =>
        contend(random, rounds, witness, acquire, () => join(++gpid, { wrap })),
      );
      await Promise.all(work);
      clearInterval(late);
      for (const store of stores) await store.deliver();
      expect(witness.problems, `NSH_SEED=${seed}`).toEqual([]);
      expect(witness.granted.length).toBeGreaterThan(contenders);
      const last = await join();
      expect(await kind.acquire(last, false, { timeoutMs: 0 }), `NSH_SEED=${seed}`).toBeDefined();
      const left = await world().open().list('');
      expect(left.entries.filter(({ key }) => /\.[xs]$/.test(key))).toHaveLength(1);
    },
    60_000,
  );
});

function raise(): never {
  throw new Error('no such world');
}
