/** A few rounds of the soak (`npm run soak:groups`): with other seeds each time. */
import { expect, it } from 'vitest';
import { makeRandom } from '../../ids/random.ts';
import { GroupsSoak } from './soak.ts';

it('groups come to be as they should, whatever is done to them, and singletons never run twice', async () => {
  const seed = Math.floor(Math.random() * 1e9);
  const said: string[] = [];
  const soak = await GroupsSoak.start({ nodes: 3, say: (text) => said.push(text) });
  try {
    await soak.round(makeRandom(seed), 20).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    });
    await soak.removeAll();
    expect(said.length).toBeGreaterThan(0);
  } finally {
    await soak.stop();
  }
});
