/** Contenders at random for one lock or semaphore, and a witness outside the store of who holds. Test files say what goes wrong meanwhile. */
import type { Hold } from '../../src/coordination/hold.ts';
import { acquireLock } from '../../src/coordination/lock.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import { acquireSemaphore } from '../../src/coordination/semaphore.ts';
import type { TurnOptions } from '../../src/coordination/turn.ts';
import type { Random } from '../ids/random.ts';

interface Granted {
  readonly token: bigint;
  readonly shared: boolean;
}

/** What everybody sees of who holds: the truth, outside the store. */
export class Witness {
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

export type Acquire = (participant: Participant, shared: boolean, options: TurnOptions) => Promise<Hold | undefined>;

/** One contender, again and again. Its session may be ended under it, whereupon it comes back with a new one. */
export async function contend(
  random: Random,
  rounds: number,
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

export const kinds: Readonly<Record<string, { readonly size: number; readonly acquire: Acquire }>> = {
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
