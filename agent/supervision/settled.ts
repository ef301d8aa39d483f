/**
 * Groups in which the leader found nothing to do, with what it looked at: with thousands of replicas there is news all the time, mostly of one
 * group, and the others need not be thought through for it.
 */
import type { StoredGroup } from '../../src/policy/supervision/lead.ts';

/** All that a decision on a group hangs on, but the time. */
export interface Look {
  /** The same object as long as nothing of it has changed (GroupReader). */
  readonly stored: StoredGroup;
  /** Which nodes live. */
  readonly standing: string;
  readonly placed: ReadonlyMap<number, number>;
  readonly unplaced: ReadonlyMap<number, string>;
}

interface Settlement {
  readonly look: Look;
  /** It is looked at again then. */
  readonly wakeMs: number;
}

export class Settled {
  readonly #groups = new Map<string, Settlement>();

  /** @param wakeMs when it is to be looked at again though nothing has changed; default never. */
  put(group: string, look: Look, wakeMs = Infinity): void {
    this.#groups.set(group, { look, wakeMs });
  }

  /** Until when there is nothing to do; undefined: it is to be looked at now. */
  until(group: string, look: Look, nowMs: number): number | undefined {
    const known = this.#groups.get(group);
    if (known === undefined) return undefined;
    if (nowMs < known.wakeMs && isSame(known.look, look)) return known.wakeMs;
    this.#groups.delete(group);
    return undefined;
  }

  /** @param groups those that there are: others are forgotten. */
  keep(groups: ReadonlyMap<string, unknown>): void {
    for (const group of this.#groups.keys()) if (!groups.has(group)) this.#groups.delete(group);
  }
}

function isSame(a: Look, b: Look): boolean {
  return (
    a.stored === b.stored &&
    a.standing === b.standing &&
    haveSame(a.placed, b.placed) &&
    haveSame(a.unplaced, b.unplaced)
  );
}

/** The same keys, and the same value at each. */
export function haveSame<K, T>(a: ReadonlyMap<K, T>, b: ReadonlyMap<K, T>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
