/** The same of the embedded store, used over a link, while the agent that holds it and the clients' own agent are killed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRandom } from '../ids/random.ts';
import { startStoreCluster, type StoreCluster } from '../e2e/store-cluster.ts';
import { waitUntil } from '../e2e/wait-until.ts';
import { runClients } from './run.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let stores: StoreCluster;

beforeAll(async () => {
  stores = await startStoreCluster({ count: 1 });
});
afterAll(() => stores.close());

/** With SIGKILL; who needs it starts it again. */
const killers = {
  holder: () => {
    const host = stores.cluster.host('n1');
    const agent = host.processes().find(({ command }) => command.startsWith('nsh-agent'));
    if (agent !== undefined) host.kill(agent.pid, 'SIGKILL');
  },
  own: () => {
    for (const pid of stores.cluster.localDaemons()) process.kill(pid, 'SIGKILL');
  },
} as const;

it(`is linearizable while agents are killed (SEED=${seed})`, async () => {
  const random = makeRandom(seed);
  const workload = await runClients({
    seed,
    clients: 6,
    open: () => stores.open(),
    strike: async (running) => {
      for (const who of ['holder', 'own', random.pick(['holder', 'own'])] as const) {
        const before = running.counts.ok;
        await waitUntil(() => running.counts.ok > before + 60, 'some work to be done', 20_000);
        killers[who]();
      }
      const before = running.counts.ok;
      await waitUntil(() => running.counts.ok > before + 60, 'some work to be done', 20_000);
    },
  });
  expect(workload.violations()).toEqual([]);
  expect(workload.counts.unknown).toBeGreaterThan(0);
});
