/** Many who want the same lock: how many turns a second, how they are shared, and how long it takes from one holder to the next. */
import { acquireLock } from '../../../src/coordination/lock.ts';
import type { Participant } from '../../../src/coordination/participant.ts';
import type { Store } from '../../../src/store/store.ts';
import { median, percentile, type Figure } from '../stats.ts';

const contenders = 32;

export async function join(store: Store): Promise<Participant> {
  const party = { gpid: process.pid, node: 'bench', command: 'bench', since: Date.now(), within: [] };
  return { store, session: await store.openSession(30), party };
}

/** @param open a store with a connection of its own for each of them. */
export async function benchContenders(who: string, open: () => Promise<Store>, runs: number): Promise<Figure[]> {
  const all = await Promise.all(Array.from({ length: contenders }, async () => await join(await open())));
  const value = Buffer.alloc(100);
  const rawApart = await rate(all, runs, async ({ store }, index) => {
    await store.txn([], [{ op: 'put', key: `raw-${index}`, value }]);
    await store.txn([], [{ op: 'delete', key: `raw-${index}` }]);
  });
  const apart = await rate(all, runs, async (each, index) => {
    await (await acquireLock(each, `apart-${index}`))?.release();
  });
  const { turnsEach, perSecond, handOvers } = await shareOne(all, Math.max(1_000, runs * 10));
  for (const each of all) {
    await each.session.close();
    await each.store.close();
  }
  const [least, most] = [Math.min(...turnsEach), Math.max(...turnsEach)];
  const work = `one lock, ${contenders} contenders`;
  return [
    { work: `put and delete, ${contenders} at once`, who, value: rawApart, unit: '/s', ratio: '1' },
    {
      work: `acquire and release, ${contenders} locks at once`,
      who,
      value: apart,
      unit: '/s',
      ratio: (apart / rawApart).toFixed(2),
    },
    { work: `${work}: turns`, who, value: perSecond, unit: '/s' },
    { work: `${work}: hand-over, median`, who, value: median(handOvers), unit: 'ms' },
    { work: `${work}: hand-over, p99`, who, value: percentile(handOvers, 99), unit: 'ms' },
    {
      work: `${work}: fewest turns of one against most`,
      who,
      value: (least / most) * 100,
      unit: '%',
      goal: [`all alike, ±1 (${least} to ${most} each)`, most - least <= 1],
    },
  ];
}

/** Pairs a second, of all together. */
async function rate(
  participants: readonly Participant[],
  runs: number,
  work: (participant: Participant, index: number) => Promise<void>,
): Promise<number> {
  const each = Math.max(2, Math.round(runs / 8));
  const began = performance.now();
  await Promise.all(
    participants.map(async (participant, index) => {
      for (let i = 0; i < each; i++) await work(participant, index);
    }),
  );
  return (participants.length * each * 1000) / (performance.now() - began);
}

interface Shared {
  readonly turnsEach: readonly number[];
  readonly perSecond: number;
  /** From the call that releases it until the next one knows that it holds, ms. */
  readonly handOvers: readonly number[];
}

/** Each comes back as soon as it has released it, until there have been so many turns. */
async function shareOne(participants: readonly Participant[], turns: number): Promise<Shared> {
  const turnsEach = participants.map(() => 0);
  const handOvers: number[] = [];
  let taken = 0;
  let releasedMs: number | undefined;
  const began = performance.now();
  let endedMs = began;
  await Promise.all(
    participants.map(async (participant, index) => {
      while (taken < turns) {
        const hold = await acquireLock(participant, 'together');
        if (taken < turns) {
          if (releasedMs !== undefined) handOvers.push(performance.now() - releasedMs);
          taken++;
          turnsEach[index] = (turnsEach[index] ?? 0) + 1;
        }
        endedMs = taken === turns ? Math.min(performance.now(), endedMs === began ? Infinity : endedMs) : endedMs;
        releasedMs = performance.now();
        await hold?.release();
      }
    }),
  );
  return { turnsEach, perSecond: (turns * 1000) / (endedMs - began), handOvers };
}
