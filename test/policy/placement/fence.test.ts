import { describe, expect, it } from 'vitest';
import { fenceTimes, freeAtMs, killTakesMs, maxDrift } from '../../../src/policy/placement/fence.ts';
import { makeRandom } from '../../ids/random.ts';

const times = fenceTimes(15_000);

describe('the fence', () => {
  it('has the times that were measured: renewed every 4 s, ended at 10 s, killed at 12 s of 15 s', () => {
    expect(times).toEqual({ ttlMs: 15_000, renewMs: 4_050, fenceMs: 10_000, killMs: 12_000 });
  });

  it('lets a singleton run elsewhere at once when its session has expired', () => {
    expect(freeAtMs(100_000, times)).toBe(100_000);
  });

  it('waits a little after a session too short for its margin', () => {
    const short = fenceTimes(3_000);
    expect(freeAtMs(0, short)).toBe(2_412 + killTakesMs - 2_985);
  });

  it('never lets two run at once, whatever the delays and the clocks do', () => {
    let least = Number.POSITIVE_INFINITY;
    for (let seed = 1; seed <= 20_000; seed++) least = Math.min(least, marginOf(seed));
    expect(least).toBeGreaterThanOrEqual(0);
  });
});

/** A partition at a random moment, in true time, ms: from the end of the old singleton to the first moment of the new one. */
function marginOf(seed: number): number {
  const random = makeRandom(seed);
  const rate = (): number => 1 + (maxDrift / 2) * (random.between(-1000, 1000) / 1000);
  const [holder, store, leader] = [rate(), rate(), rate()];
  const ttl = fenceTimes(random.pick([3_000, 5_000, 15_000, 60_000]));
  const sent = random.between(0, 10_000);
  // The answer may be lost: then the holder counts from an earlier renewal, which only makes it end sooner.
  const arrived = sent + random.between(0, 5_000);
  const gone = arrived + ttl.ttlMs / store;
  const seen = gone + random.between(0, 3_000);
  const killed = sent + ttl.killMs / holder + random.between(0, killTakesMs);
  const free = freeAtMs(seen * leader, ttl) / leader;
  return free - killed;
}
