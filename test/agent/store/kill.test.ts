import { expect, it } from 'vitest';
import { storeDirectory } from './fixture.ts';
import { killRounds } from './rounds.ts';

it('loses nothing that was acknowledged, and keeps no half of anything, when it is killed at any moment', async () => {
  const directory = storeDirectory();
  const known = await killRounds(directory, 20, Date.now() % 1_000_000);
  expect(known.writes).toBeGreaterThan(100);
  directory.remove();
}, 60_000);
