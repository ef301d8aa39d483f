/** `npm run soak:store -- [ROUNDS [SEED]]`: rounds of kill -9 on the embedded store, 200 by default. */
import { storeDirectory } from './fixture.ts';
import { killRounds } from './rounds.ts';

const [rounds = '200', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const directory = storeDirectory();
const begin = performance.now();
const { counts, opened, ended } = await killRounds(directory, Number(rounds), Number(seed));
directory.remove();
const writes = [...counts.values()].reduce((sum, { count }) => sum + count, 0);
process.stdout.write(
  `${rounds} rounds of kill -9, seed ${seed}: ${writes} transactions, ${opened.size} sessions opened and ${ended.size} ended were ` +
    `acknowledged, and nothing was lost (${((performance.now() - begin) / 1000).toFixed(0)} s)\n`,
);
