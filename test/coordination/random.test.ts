/**
 * Many contenders at random, over a store that loses answers, delays writes and ends sessions. NSH_SEED=N repeats a run, NSH_ROUNDS=N makes
 * it longer.
 */
import { describe, expect, it } from 'vitest';
import type { Hold } from '../../src/coordination/hold.ts';
import { acquireLock } from '../../src/coordination/lock.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import { acquireSemaphore } from '../../src/coordination/semaphore.ts';
import type { TurnOptions } from '../../src/coordination/turn.ts';
import { makeRandom, type Random } from '../ids/random.ts';
import { FaultyStore, type Fault } from './faulty-store.ts';
import { makeStage, worlds } from './fixture.ts';

const rounds = Number(process.env['NSH_ROUNDS'] ?? 6);
const contenders = 12;

interface Granted {
  readonly token: bigint;
  readonly shared: boolean;
}

/** What everybody sees of who holds: the truth, outside the store. */
class Witness {
  readonly holding = new Set<Granted>();
  readonly granted: Granted[] = [];
  readonly problems: string[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  enter(token: bigint, shared: boolean): Granted {
    const grant: Granted = { token, shared };
    const others = [...this.holding].filter((each) => !(each.shared && shared));
    if (others.length >= this.#size)
      this.problems.push(`${token} came in beside ${others.map((each) => each.token).join()}`);
    if (this.granted.some((each) => each.token === token)) this.problems.push(`${token} was granted twice`);
    // Of those who cannot hold beside each other the later one has the greater token.
    const before = this.granted.findLast((each) => this.#size === 1 && !(each.shared && shared));
    if (before !== undefined && before.token > token) this.problems.push(`${token} came after ${before.token}`);
    this.holding.add(grant);
    this.granted.push(grant);
    return grant;
  }

  leave(grant: Granted): void {
    this.holding.delete(grant);
  }
}

type Acquire = (participant: Participant, shared: boolean, options: TurnOptions) => Promise<Hold | undefined>;

/** One contender, again and again. Its session may be ended under it, whereupon it comes back with a new one. */
async function contend(
  random: Random,
  witness: Witness,
  acquire: Acquire,
  join: () => Promise<Participant>,
): Promise<void> {
  const { between } = random;
  let participant = await join();
  for (let round = 0; round < rounds; round++) {
    const shared = between(1, 3) === 1;
    const dies = between(1, 6) === 1;
    const leaving = between(1, 6) === 1 ? AbortSignal.timeout(between(1, 20)) : undefined;
    const options = {
      ...(leaving === undefined ? {} : { signal: leaving }),
      ...(between(1, 6) === 1 ? { timeoutMs: between(0, 20) } : {}),
    };
    const { session } = participant;
    const death = dies ? setTimeout(() => void session.close().catch(() => undefined), between(0, 15)) : undefined;
    try {
      const held = await acquire(participant, shared, options);
      if (held !== undefined) {
        const grant = witness.enter(held.token, shared);
        // A holder stops as soon as it is told; only then others may come.
        const stop = (): void => witness.leave(grant);
        held.lost.addEventListener('abort', stop, { once: true });
        if (held.lost.aborted) stop();
        for (let turns = between(0, 3); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        stop();
        await held.release();
      }
    } catch (error) {
      const isExpected = session.lost.aborted || leaving?.aborted === true;
      if (!isExpected) witness.problems.push(String(error));
    }
    clearTimeout(death);
    if (session.lost.aborted) participant = await join();
  }
}

const kinds: Readonly<Record<string, { readonly size: number; readonly acquire: Acquire }>> = {
  lock: { size: 1, acquire: (participant, _shared, options) => acquireLock(participant, 'x', options) },
  'read-write lock': {
    size: 1,
    acquire: (participant, shared, options) => acquireLock(participant, 'x', { ...options, shared }),
  },
  'semaphore of 3': {
    size: 3,
    acquire: (participant, _shared, options) => acquireSemaphore(participant, 'x', 3, options),
  },
};

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
      }, 7);
      let gpid = 0;
      const work = Array.from({ length: contenders }, () =>
        contend(random, witness, acquire, () => join(++gpid, { wrap })),
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
