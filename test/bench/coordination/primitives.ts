/**
 * Locks and a put that is watched, on a store embedded in the agent of this machine and of another one, and on an etcd of three members on
 * this machine, against the least that each store could do for it: one put and one delete, waited for.
 */
import { connectCluster } from '../../../src/cluster/connect.ts';
import { loadCluster } from '../../../src/cluster/file/index.ts';
import { acquireLock } from '../../../src/coordination/lock.ts';
import { openEtcdStore } from '../../../src/store/etcd/etcd-store.ts';
import type { SessionId, Store } from '../../../src/store/store.ts';
import { OneMachine } from '../../e2e/one-machine.ts';
import { median, timeInTurn, type Figure } from '../stats.ts';
import { benchContenders, join } from './contenders.ts';
import { benchOneShot } from './one-shot.ts';
import type { GroupSetting } from './setting.ts';

/** With the store in this machine's own agent. */
export async function benchPrimitivesHere(runs: number): Promise<Figure[]> {
  const machine = new OneMachine();
  const client = connectCluster(await loadCluster({ env: machine.env }), { env: machine.env });
  try {
    const figures = await benchStore('embedded, here', () => client.store(), runs);
    return [...figures, ...(await benchOneShot({ who: 'embedded, here', env: machine.env, runs: shots(runs) }))];
  } finally {
    client.close();
    await machine.stop();
  }
}

export async function benchPrimitives(setting: GroupSetting, runs: number): Promise<Figure[]> {
  const { etcd, groups, cluster } = setting;
  const who = etcd === undefined ? 'embedded, over a link' : 'etcd of three';
  const open = async (): Promise<Store> =>
    etcd === undefined ? await groups.client.store() : openEtcdStore({ urls: etcd.urls });
  const figures = await benchStore(who, open, runs);
  const endpoints = etcd === undefined ? {} : { etcd: etcd.urls };
  return [...figures, ...(await benchOneShot({ who, env: cluster.env, runs: shots(runs), ...endpoints }))];
}

function shots(runs: number): number {
  return Math.max(3, Math.round(runs / 20));
}

async function benchStore(who: string, open: () => Promise<Store>, runs: number): Promise<Figure[]> {
  const participant = await join(await open());
  const { session, store } = participant;
  const value = Buffer.alloc(100);
  const put = (key: string, extra: { readonly session?: SessionId } = {}) =>
    store.txn([], [{ op: 'put', key, value, ...extra }]);
  const [raws = [], locks = []] = await timeInTurn(runs, 20, [
    async () => {
      await put('raw', { session: session.id });
      await store.txn([], [{ op: 'delete', key: 'raw' }]);
    },
    async () => await (await acquireLock(participant, 'bench'))?.release(),
  ]);
  const [raw, locked] = [median(raws), median(locks)];
  const watch = await Watched.begin(store);
  const [puts = [], watches = []] = await timeInTurn(runs, 20, [
    () => put('other'),
    async () => await Promise.all([watch.next(), put('watched')]),
  ]);
  await watch.end();
  const [plain, watched] = [median(puts), median(watches)];
  await session.close();
  await store.close();
  return [
    { work: 'put and delete', who, value: raw, unit: 'ms', ratio: '1' },
    { work: 'acquire and release a lock', who, value: locked, unit: 'ms', ratio: (locked / raw).toFixed(2) },
    { work: 'put', who, value: plain, unit: 'ms', ratio: '1' },
    { work: 'put until a watch has it', who, value: watched, unit: 'ms', ratio: (watched / plain).toFixed(2) },
    ...(await benchContenders(who, open, runs)),
  ];
}

/** A key that is watched all the time. */
class Watched {
  readonly #over = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  #arrived: () => void = () => undefined;

  static async begin(store: Store): Promise<Watched> {
    const watched = new Watched();
    const { revision } = await store.get('watched');
    watched.#watching = watched.#follow(store, revision + 1n);
    return watched;
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  async end(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #follow(store: Store, from: bigint): Promise<void> {
    for await (const _batch of store.watch('watched', from, { signal: this.#over.signal })) this.#arrived();
  }
}
