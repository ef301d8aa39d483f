/** A node is gone at once, as after a power cut: how long until the store knows, and from then until the group is whole again. */
import { aliveKey } from '../../../src/policy/supervision/store-keys.ts';
import { waitUntil } from '../../e2e/wait-until.ts';
import { median, type Figure } from '../stats.ts';
import { gather, hostCount, sleep, type GroupSetting } from './setting.ts';

const replicas = 100;
/** Of a node's session, the default of agents. */
const ttlSeconds = 15;

/** Takes as many nodes as it is told, the last ones first: what is measured later has fewer. */
export async function benchNodeLoss(setting: GroupSetting, losses: number): Promise<Figure[]> {
  const { groups, cluster, who } = setting;
  const [expiries, repairs, alls]: [number[], number[], number[]] = [[], [], []];
  const disband = await gather(setting);
  await groups.start({ name: 'whole', command: ['sleep', '100000'], replicas });
  await groups.untilReady('whole', replicas, 60_000);
  let lost = 0;
  for (let i = 0; i < losses; i++) {
    const node = hostCount - i;
    const host = cluster.hosts.hosts[node - 1];
    if (host === undefined) throw new Error(`no node ${node}`);
    const here = (await groups.replicas('whole')).filter((each) => each.node === node).length;
    const from = performance.now();
    await host.stop();
    const expiredMs = await untilDeleted(groups.store, aliveKey(node));
    const gone = (each: { readonly node: number }): boolean => each.node >= node;
    await waitUntil(
      async () => {
        const ready = (await groups.replicas('whole')).filter((each) => !gone(each) && each.phase === 'ready');
        return ready.length === replicas;
      },
      'the group to be whole again',
      60_000,
    );
    const nowMs = performance.now();
    lost += here;
    expiries.push((expiredMs - from) / 1000);
    repairs.push(nowMs - expiredMs);
    alls.push((nowMs - from) / 1000);
    await sleep(1_000);
  }
  await groups.remove('whole');
  await disband();
  const work = `a node of ${hostCount} lost, with ${Math.round(lost / losses)} of ${replicas}`;
  const whole = median(alls);
  return [
    { work: `${work}: until its session has expired (TTL ${ttlSeconds} s)`, who, value: median(expiries), unit: 's' },
    { work: `${work}: from then until the group is whole`, who, value: median(repairs), unit: 'ms' },
    {
      work: `${work}: until the group is whole`,
      who,
      value: whole,
      unit: 's',
      goal: ['TTL and 3 s', whole < ttlSeconds + 3],
    },
  ];
}

/** @returns `performance.now()` when the store told. */
async function untilDeleted(store: GroupSetting['groups']['store'], key: string): Promise<number> {
  const { revision, entry } = await store.get(key);
  if (entry === undefined) return performance.now();
  for await (const { events } of store.watch(key, revision + 1n)) {
    if (events.some((event) => event.type === 'delete' && event.key === key)) break;
  }
  return performance.now();
}
