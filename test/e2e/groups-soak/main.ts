/** `npm run soak:groups -- [SECONDS [SEED [embedded]]]`: rounds of random faults on groups over four nodes, 300 s by default. */
import { makeRandom } from '../../ids/random.ts';
import { GroupsSoak } from './soak.ts';

const [seconds = '300', first = String(Date.now() % 1_000_000), store = 'etcd'] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1_000;
const soak = await GroupsSoak.start({
  nodes: 4,
  store: store === 'embedded' ? store : 'etcd',
  say: (text) => process.stdout.write(`  ${text}\n`),
});
try {
  let rounds = 0;
  for (let seed = Number(first); performance.now() < end; seed++) {
    process.stdout.write(`seed ${seed}\n`);
    const random = makeRandom(seed);
    await soak.round(random, random.between(5, 40));
    rounds++;
    process.stdout.write(
      `  memory of the agents, MiB: ${soak
        .memory()
        .map((kib) => Math.round(kib / 1024))
        .join(' ')}\n`,
    );
  }
  await soak.removeAll();
  const done = [...soak.counts].map(([name, count]) => `${name} ${count}`).join(', ');
  process.stdout.write(`${rounds} rounds, all well in the end: ${done}\n`);
} finally {
  await soak.stop();
}
