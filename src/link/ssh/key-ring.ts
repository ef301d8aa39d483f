/**
 * Keys that a person has unlocked, shared by all logins that are going on: a cluster of 64 nodes asks once for the passphrase of one
 * key. When the last login has ended everything is forgotten; keeping keys is the work of an ssh-agent.
 */
import type { ParsedKey } from 'ssh2';

const unlocked = new Map<string, Promise<ParsedKey>>();
let logins = 0;

/** Call when a login begins; the function that it returns, when it has ended. */
export function enterKeyRing(): () => void {
  logins += 1;
  let left = false;
  return () => {
    if (left) return;
    left = true;
    logins -= 1;
    if (logins === 0) unlocked.clear();
  };
}

export interface Unlocking {
  /** False where this login cannot ask: then it may only use what another login unlocks. */
  readonly canAsk: boolean;
  /** The login for which the person is asked is over: others must ask for themselves. */
  readonly isOver: () => boolean;
  readonly unlock: () => Promise<ParsedKey>;
}

/** One question at a time for each file; a person's refusal counts for all who wait for it. */
export async function unlockOnce(path: string, by: Unlocking): Promise<ParsedKey> {
  for (;;) {
    const running = unlocked.get(path);
    if (running === undefined) break;
    try {
      return await running;
    } catch (error) {
      if (unlocked.get(path) === running) throw error;
    }
  }
  if (!by.canAsk) return by.unlock();
  const own = by.unlock();
  unlocked.set(path, own);
  try {
    return await own;
  } catch (error) {
    if (by.isOver() && unlocked.get(path) === own) unlocked.delete(path);
    throw error;
  }
}
