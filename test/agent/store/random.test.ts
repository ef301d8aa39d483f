import { expect, it } from 'vitest';
import { makeRandom } from '../../ids/random.ts';
import { storeDirectory } from './fixture.ts';
import { Comparison } from './random.ts';

/** NSH_SEED=N repeats a run, NSH_STEPS=N makes it longer. */
const steps = Number(process.env['NSH_STEPS'] ?? 1_500);

it('answers random requests, over restarts, as the oracle does', async () => {
  const seed = Number(process.env['NSH_SEED'] ?? Date.now() % 1_000_000);
  const directory = storeDirectory();
  const comparison = new Comparison(directory, makeRandom(seed));
  const run = async (): Promise<void> => {
    for (let step = 0; step < steps; step++) await comparison.step();
  };
  await expect(run(), `NSH_SEED=${seed}`).resolves.toBeUndefined();
  await comparison.close();
  directory.remove();
}, 600_000);
