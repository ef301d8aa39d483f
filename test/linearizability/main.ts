/**
 * The long run: npm run linearizability -- [SECONDS [SEED]], default 300 s and a random seed. Rounds of all faults, a fresh set of clients
 * in each, until the time is over; the first history that is in no order ends it with status 1.
 */
import { openEtcdStore } from '../../src/store/etcd/etcd-store.ts';
import { makeRandom } from '../ids/random.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { strikeAll } from './nemesis.ts';
import { runClients } from './run.ts';

const [seconds = '300', first = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1_000;
const cluster = await EtcdCluster.start();
const total = { ok: 0, failed: 0, unknown: 0, objects: 0 };
try {
  for (let seed = Number(first); performance.now() < end; seed++) {
    const random = makeRandom(seed);
    const workload = await runClients({
      open: () => openEtcdStore({ urls: cluster.proxiedUrls }),
      seed,
      clients: random.between(2, 10),
      strike: () => strikeAll(cluster, { random, faultMs: random.between(200, 3_000), calmMs: 200 }),
    });
    const { ok, failed, unknown } = workload.counts;
    total.ok += ok;
    total.failed += failed;
    total.unknown += unknown;
    total.objects += workload.objects;
    const violations = workload.violations();
    console.log(`seed ${seed}: ${ok} ok, ${failed} failed, ${unknown} unknown, ${workload.objects} objects`);
    if (violations.length > 0) {
      console.log(violations.join('\n\n'));
      process.exitCode = 1;
      break;
    }
  }
  if (process.exitCode === undefined) {
    console.log(
      `linearizable: ${total.ok} operations on ${total.objects} objects, ${total.unknown} unknown, ${total.failed} failed`,
    );
  }
} finally {
  await cluster.stop();
}
