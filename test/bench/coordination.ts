/**
 * Locks and a put that is watched, on the store embedded in another node's agent and on an etcd of three members on this machine, against
 * the least that each store could do for it: one put and one delete, waited for.
 */
import { acquireLock } from '../../src/coordination/lock.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import { openEtcdStore } from '../../src/store/etcd/etcd-store.ts';
import type { Store } from '../../src/store/store.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import type { Setting } from './setting.ts';
import { median, time, type Figure } from './stats.ts';

const contenders = 32;

export async function benchCoordination({ client }: Setting, runs: number): Promise<Figure[]> {
  const embedded = await benchStore('embedded, over a link', () => client.store(), runs);
  const cluster = await EtcdCluster.start();
  try {
    const etcd = await benchStore('etcd of three', () => openEtcdStore({ urls: cluster.urls }), runs);
    return [...embedded, ...etcd];
  } finally {
    await cluster.stop();
  }
}

async function benchStore(who: string, open: () => Promise<Store>, runs: number): Promise<Figure[]> {
  const store = await open();
  const participant = await join(store);
  const { session } = participant;
  const value = Buffer.alloc(100);
  const raw = median(
    await time(runs, 20, async () => {
      await store.txn([], [{ op: 'put', key: 'raw', value, session: session.id }]);
      await store.txn([], [{ op: 'delete', key: 'raw' }]);
    }),
  );
  const locked = median(await time(runs, 20, () => lockOnce(participant, 'bench')));
  const watched = median(await timeWatch(store, runs));
  const others = await Promise.all(Array.from({ length: contenders }, async () => await join(await open())));
  const rawApart = await rate(others, runs, async ({ store: own }, index) => {
    const key = `raw-${index}`;
    await own.txn([], [{ op: 'put', key, value }]);
    await own.txn([], [{ op: 'delete', key }]);
  });
  const apart = await rate(others, runs, (other, index) => lockOnce(other, `apart-${index}`));
  const together = await rate(others, runs, (other) => lockOnce(other, 'together'));
  for (const each of [participant, ...others]) {
    await each.session.close();
    await each.store.close();
  }
  const ratio = (locked / raw).toFixed(2);
  return [
    { work: 'put and delete', who, value: raw, unit: 'ms', ratio: '1' },
    { work: 'acquire and release', who, value: locked, unit: 'ms', ratio },
    { work: `put and delete, ${contenders} at once`, who, value: rawApart, unit: '/s', ratio: '1' },
    {
      work: `acquire and release, ${contenders} locks at once`,
      who,
      value: apart,
      unit: '/s',
      ratio: (apart / rawApart).toFixed(2),
    },
    { work: `one lock, ${contenders} contenders`, who, value: together, unit: '/s' },
    { work: 'put until a watch has it', who, value: watched, unit: 'ms' },
  ];
}

async function join(store: Store): Promise<Participant> {
  const party = { gpid: process.pid, node: 'bench', command: 'bench', since: Date.now(), within: [] };
  return { store, session: await store.openSession(30), party };
}

async function lockOnce(participant: Participant, name: string): Promise<void> {
  const hold = await acquireLock(participant, name);
  await hold?.release();
}

/** Pairs a second, of all together. */
async function rate(
  participants: readonly Participant[],
  runs: number,
  work: (participant: Participant, index: number) => Promise<void>,
): Promise<number> {
  const each = Math.max(2, Math.round(runs / 8));
  const began = performance.now();
  await Promise.all(
    participants.map(async (participant, index) => {
      for (let i = 0; i < each; i++) await work(participant, index);
    }),
  );
  return (participants.length * each * 1000) / (performance.now() - began);
}

async function timeWatch(store: Store, runs: number): Promise<number[]> {
  const over = new AbortController();
  let arrived: () => void = () => undefined;
  const { revision } = await store.get('watched');
  const watching = (async () => {
    for await (const _batch of store.watch('watched', revision + 1n, { signal: over.signal })) arrived();
  })();
  const times = await time(runs, 5, async () => {
    const come = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await store.txn([], [{ op: 'put', key: 'watched', value: Buffer.alloc(100) }]);
    await come;
  });
  over.abort();
  await watching;
  return times;
}
