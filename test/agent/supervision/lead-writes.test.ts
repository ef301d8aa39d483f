/** What the leader writes at the size that a cluster may have: each transaction must fit into every store. */
import { describe, expect, it } from 'vitest';
import { chain, transactionsOf, type LeadTransaction } from '../../../agent/supervision/lead-writes.ts';
import type { LivingNode } from '../../../agent/supervision/group-facts.ts';
import { placeGroups } from '../../../src/policy/placement/place.ts';
import { parseReplicaName, slotsOf } from '../../../src/policy/supervision/identity.ts';
import { leadGroup, type GroupFacts, type StoredGroup } from '../../../src/policy/supervision/lead.ts';
import type { GroupReport, Order } from '../../../src/policy/supervision/order.ts';
import { parseGroupSpec, type WrittenSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { versionOf } from '../../../src/policy/supervision/spec.ts';
import { aliveKey, orderKey, reportKey, wantedKey } from '../../../src/policy/supervision/store-keys.ts';
import { checkTxn } from '../../../src/store/check-request.ts';

const ids = slotsOf(500);
const nodes = ids.map((id) => {
  const name = `a-machine-with-a-long-name-${id}`;
  return { id, name, labels: [], isAlive: true, isDrained: false, memTotalBytes: 2 ** 36, memAvailableBytes: 2 ** 36 };
});

function factsOf(written: Omit<WrittenSpec, 'name' | 'command'>): GroupFacts {
  const spec = parseGroupSpec({ name: 'web', command: ['serve'], ...written });
  const { nodes: placed, unplaced } = placeGroups({ groups: [spec], nodes, current: new Map() });
  const bySlot = <T>(named: ReadonlyMap<string, T>): Map<number, T> =>
    new Map([...named].map(([name, value]) => [parseReplicaName(name)?.slot ?? 0, value]));
  return {
    wanted: { spec, round: 1, restarts: 0 },
    serial: 5n,
    status: undefined,
    slots: new Map(),
    sum: undefined,
    together: undefined,
    orders: new Map(),
    reports: new Map(),
    nodes: new Map(nodes.map(({ id, name }) => [id, { isAlive: true, name }])),
    placed: bySlot(placed),
    unplaced: bySlot(unplaced),
  };
}

/** @param alive ids of the nodes that live; default: all. */
function writesOf(facts: GroupFacts, alive: readonly number[] = ids): LeadTransaction[] {
  const living = new Map(alive.map((id) => [id, {} as LivingNode]));
  const stored: StoredGroup = facts;
  const lead = leadGroup(facts, 1_000);
  const source = { group: 'web', stored, lead, epoch: 7n, entries: new Map(), nodes: living, nowMs: 1_000 };
  return transactionsOf(source);
}

function expectToFit(transactions: readonly LeadTransaction[]): void {
  // With the leader's own key, as Hold.txn has it.
  for (const { compares, ops } of transactions)
    checkTxn([chain('web', 9n), chain('leader', 9n), ...compares], ops, [{ op: 'get', key: 'leader' }]);
}

const keysOf = (transactions: readonly LeadTransaction[]): string[] =>
  transactions.flatMap(({ ops }) =>
    ops.map((op) => (op.op === 'deletePrefix' ? op.prefix : 'key' in op ? op.key : '')),
  );

function ordered(facts: GroupFacts): ReadonlyMap<number, Order> {
  const version = versionOf(facts.wanted.spec);
  const order = {
    group: 'web',
    epoch: 7n,
    serial: 8n,
    scope: 'node' as const,
    round: 1,
    spec: facts.wanted.spec,
  };
  return new Map(ids.map((id) => [id, { ...order, versions: new Map(), slots: [{ slot: id, version }] }]));
}

describe('the transactions of the leader', () => {
  it('fit into the store where each of 500 nodes gets a long specification', () => {
    const env = Object.fromEntries(slotsOf(20).map((n) => [`NAME_${n}`, 'x'.repeat(1_000)]));
    const transactions = writesOf(factsOf({ replicas: 500, env }));
    expectToFit(transactions);
    expect(new Set(keysOf(transactions).filter((key) => key.startsWith('group/order/')))).toEqual(
      new Set(ids.map((id) => orderKey(id, 'web'))),
    );
  });

  it('fit where none of 10,000 replicas has a place, and tell why', () => {
    const facts = factsOf({ replicas: 10_000, memory: '100G' });
    expect(facts.unplaced.size).toBe(10_000);
    expectToFit(writesOf(facts));
    expect(leadGroup(facts, 0).status.waits.get(1)).toMatch(/100G are asked for/);
  });

  it('fit where a group goes whose orders stand on 500 nodes that are lost, and leave nothing of it', () => {
    const facts = factsOf({ replicas: 500 });
    const orders = ordered(facts);
    const report = { group: 'web', epoch: 7n, serial: 8n, round: 1, replicas: [], restarted: 0 };
    const reports = new Map(ids.map((id): [number, GroupReport] => [id, report]));
    const gone = new Map(nodes.map(({ id, name }) => [id, { isAlive: false, name }]));
    const removed = { ...facts, wanted: { ...facts.wanted, rest: 'removed' as const }, orders, nodes: gone };
    const transactions = writesOf({ ...removed, reports }, []);
    expectToFit(transactions);
    const keys = new Set(keysOf(transactions));
    expect(ids.filter((id) => !keys.has(orderKey(id, 'web')) || !keys.has(reportKey(id, 'web')))).toEqual([]);
    // What tells the next leader to go on is the last to go.
    expect(keysOf(transactions.slice(0, -1))).not.toContain(wantedKey('web'));
    expect(keysOf(transactions.slice(-1))).toContain(wantedKey('web'));
  });

  it('take no order from a node that has come back meanwhile, however many are lost at once', () => {
    const facts = factsOf({ replicas: 500 });
    const gone = new Map(nodes.map(({ id, name }) => [id, { isAlive: false, name }]));
    const transactions = writesOf({ ...facts, orders: ordered(facts), nodes: gone, placed: new Map() }, []);
    expectToFit(transactions);
    const unguarded = transactions.flatMap(({ compares, ops }) => {
      const compared = new Set(compares.map(({ key }) => key));
      const taken = ops.flatMap((op) => (op.op === 'delete' && op.key.startsWith('group/order/') ? [op.key] : []));
      return taken.filter((key) => !compared.has(aliveKey(Number(key.split('/')[2]))));
    });
    expect(unguarded).toEqual([]);
  });
});
