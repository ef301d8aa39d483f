/**
 * How many logins go on at once: sshd drops connections beyond MaxStartups (10 by default, counted until the login is done), and a
 * handshake costs 5 ms of processor time here. A login lets its slots go while a person is asked.
 */
import { withSignal } from './wait.ts';

const maxHandshakes = 8;

class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  /** @returns a function that gives the slot back; further calls do nothing. @throws NshError where the signal fires first. */
  async acquire(signal: AbortSignal, what: string): Promise<() => void> {
    let given = false;
    const turn = new Promise<void>((resolve) => {
      this.#waiting.push(() => {
        given = true;
        resolve();
      });
    });
    this.#next();
    try {
      await withSignal(turn, signal, what);
    } catch (error) {
      // The turn that comes after all is passed on.
      if (given) this.#giveBack();
      else void turn.then(() => this.#giveBack());
      throw error;
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#giveBack();
    };
  }

  #giveBack(): void {
    this.#free += 1;
    this.#next();
  }

  #next(): void {
    if (this.#free === 0) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#free -= 1;
    waiting();
  }
}

/** Handshakes of this process. Taken when the host has begun to speak, so that silent hosts hold nobody up. */
export const handshakeSlots = new Slots(maxHandshakes);

const byDestination = new Map<string, Slots>();

/** Connections of this process to one sshd that have not logged in yet. */
export function destinationSlots(destination: string): Slots {
  const known = byDestination.get(destination);
  if (known !== undefined) return known;
  const created = new Slots(maxHandshakes);
  byDestination.set(destination, created);
  return created;
}
