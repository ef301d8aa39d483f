/** Leaders that were deposed, and do not know it yet: what they order is refused, by the store and by the nodes. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { observeLeader } from '../../src/coordination/election.ts';
import { orderKey, orderPrefixes, readNodeGroupKey } from '../../src/policy/supervision/store-keys.ts';
import { readOrder, writeOrder } from '../../src/policy/supervision/stored.ts';
import type { Order } from '../../src/policy/supervision/order.ts';
import type { Entry } from '../../src/store/store.ts';
import { GroupsCluster } from './groups-cluster.ts';
import type { GroupsUnderTest } from './groups-under-test.ts';
import { waitUntil } from './wait-until.ts';

const ttlMs = 3_000;
let under: GroupsCluster;
let groups: GroupsUnderTest;

beforeAll(async () => {
  under = await GroupsCluster.start(ttlMs);
  ({ groups } = under);
});
/** n1 leads. */
beforeEach(async () => {
  await groups.want({ name: 'web', command: ['sleep', '1000'], replicas: 3 });
  await groups.supervise('n1');
  await waitUntil(async () => (await leader()).name === 'n1', 'n1 to lead');
  await groups.supervise();
  await groups.untilReady('web', 3);
});
afterEach(async () => {
  await groups.remove('web');
  const isIdle = async (): Promise<boolean> => (await groups.store.list('')).entries.length === 0;
  await waitUntil(isIdle, 'all agents to take part no more');
});
afterAll(async () => {
  await under.stop();
});

async function leader(): Promise<{ readonly name: string | undefined; readonly epoch: bigint }> {
  for await (const now of observeLeader(groups.store, 'nsh groups', AbortSignal.timeout(10_000)))
    return { name: now?.party.node, epoch: now?.token ?? 0n };
  throw new Error('nobody tells who leads');
}

async function untilAnotherLeads(): Promise<bigint> {
  let now = await leader();
  await waitUntil(async () => {
    now = await leader();
    return now.name !== undefined && now.name !== 'n1';
  }, 'another leader');
  return now.epoch;
}

/** The orders that are written from now on, until the signal fires. */
async function readOrders(signal: AbortSignal): Promise<Order[]> {
  const seen: Order[] = [];
  const { revision } = await groups.store.get('any');
  void (async () => {
    for await (const { events } of groups.store.watch(orderPrefixes, revision + 1n, { signal }))
      for (const event of events) if (event.type === 'put') seen.push(orderOf(event.entry));
  })();
  return seen;
}

function orderOf({ key, value, modRevision }: Entry): Order {
  const group = readNodeGroupKey(orderPrefixes, key)?.group ?? '';
  return readOrder(Buffer.from(value).toString('utf8'), group, modRevision);
}

const scale = (replicas: number): Promise<void> =>
  groups.change('web', (wanted) => ({ ...wanted, spec: { ...wanted.spec, replicas } }));

/** How many processes of the group there are on all nodes, whoever knows of them. */
function running(): number {
  const all = under.cluster.hosts.hosts.flatMap((host) => host.processes());
  return all.filter(({ command }) => command === 'sleep 1000').length;
}

async function expectWhole(orders: readonly Order[], epoch: bigint, count: number): Promise<void> {
  await groups.untilReady('web', count);
  await waitUntil(() => running() === count, `${count} processes`);
  const epochs = orders.map((order) => order.epoch);
  expect(epochs).toEqual([...epochs].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  expect(epochs.at(-1)).toBe(epoch);
}

describe('a leader that was deposed', () => {
  it('is refused by the store with what it has ordered in time, and what arrives late', async () => {
    const ends = new AbortController();
    const orders = await readOrders(ends.signal);
    const old = await leader();
    const proxy = under.etcd.proxy(0);
    let arrived = 0;
    proxy.onRequest = (piece) => {
      if (piece.includes(orderPrefixes) && piece.includes('web')) arrived++;
    };
    // Longer than its session lasts.
    proxy.requestDelayMs = ttlMs + 1_500;
    try {
      await scale(4);
      const epoch = await untilAnotherLeads();
      await waitUntil(() => orders.some((order) => order.epoch === epoch), 'an order of the next leader');
      expect(arrived).toBe(0);
      await waitUntil(() => arrived > 0, 'the late order');
      proxy.requestDelayMs = 0;
      await waitUntil(async () => (await groups.store.get('node/alive/1')).entry !== undefined, 'n1 to be back');
      await expectWhole(orders, epoch, 4);
      expect(orders.filter((order) => order.epoch === old.epoch)).toEqual([]);
    } finally {
      proxy.requestDelayMs = 0;
      ends.abort();
    }
  });

  it('orders nothing when it goes on after it has stood still', async () => {
    const ends = new AbortController();
    const orders = await readOrders(ends.signal);
    const { epoch: before } = await leader();
    const agent = under.daemonOf('n1', 'nsh-agent');
    const host = under.cluster.host('n1');
    host.kill(agent, 'SIGSTOP');
    try {
      await scale(4);
      const epoch = await untilAnotherLeads();
      expect(epoch).toBeGreaterThan(before);
      await waitUntil(() => orders.some((order) => order.epoch === epoch), 'an order of the next leader');
      await scale(2);
      host.kill(agent, 'SIGCONT');
      await waitUntil(() => under.logOf('n1').includes('the session was lost'), 'n1 to hear of it');
      await expectWhole(orders, epoch, 2);
    } finally {
      host.kill(agent, 'SIGCONT');
      ends.abort();
    }
  });
});

describe('a node', () => {
  /** Puts an order that takes everything away, in the name of a leader before. @returns when the node has refused it. */
  async function orderByDeposed(epoch: bigint): Promise<void> {
    const { entry } = await groups.store.get(orderKey(2, 'web'));
    if (entry === undefined) throw new Error('n2 has no order');
    const value = Buffer.from(writeOrder({ ...orderOf(entry), epoch, slots: [] }));
    const { revision } = await groups.store.txn([], [{ op: 'put', key: entry.key, value }]);
    const refused = `order ${revision} of epoch ${epoch} for web: its leader was deposed`;
    await waitUntil(() => under.logOf('n2').includes(refused), 'the refusal');
  }

  it('refuses an order of a former epoch, also when its agent was killed, and goes on with what it has', async () => {
    const before = await groups.untilReady('web', 3);
    const { epoch } = await leader();
    await orderByDeposed(epoch - 1n);
    const host = under.cluster.host('n2');
    host.kill(under.daemonOf('n2', 'nsh-agent'), 'SIGKILL');
    const isBack = (): Promise<boolean> =>
      groups.supervise('n2').then(
        () => true,
        () => false,
      );
    await waitUntil(isBack, 'the next agent');
    await orderByDeposed(epoch - 1n);
    // The leader has put its own order in place of that.
    await waitUntil(async () => {
      const { entry } = await groups.store.get(orderKey(2, 'web'));
      return entry !== undefined && orderOf(entry).slots.length === 1;
    }, "the leader's order");
    const after = await groups.untilReady('web', 3);
    expect(after.map(({ pid, run }) => [pid, run])).toEqual(before.map(({ pid, run }) => [pid, run]));
  });
});
