import { describe, expect, it } from 'vitest';
import { leadGroup, type GroupFacts, type Lead } from '../../../src/policy/supervision/lead.ts';
import { initialNodeState, stepNode } from '../../../src/policy/supervision/node.ts';
import type { GroupReport, Order, ReplicaReport } from '../../../src/policy/supervision/order.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { readOrder, writeOrder } from '../../../src/policy/supervision/stored.ts';
import { versionOf } from '../../../src/policy/supervision/spec.ts';

const spec = parseGroupSpec({ name: 'web', command: ['serve'], replicas: 2 });
const version = versionOf(spec);

function facts(more: Partial<GroupFacts> = {}): GroupFacts {
  return {
    wanted: { spec, round: 1, restarts: 0 },
    serial: 5n,
    status: undefined,
    slots: new Map(),
    sum: undefined,
    together: undefined,
    orders: new Map(),
    reports: new Map(),
    nodes: new Map([1, 2].map((id) => [id, { isAlive: true, name: `n${id}` }])),
    placed: new Map([
      [1, 1],
      [2, 2],
    ]),
    unplaced: new Map(),
    ...more,
  };
}

/** What stands when that was written. */
function written(before: GroupFacts, lead: Lead): GroupFacts {
  const orders = new Map(before.orders);
  for (const [id, order] of lead.orders) {
    if (order === null) orders.delete(id);
    else orders.set(id, { ...order, epoch: 3n, serial: 7n });
  }
  const { status, slots, sum, together } = lead;
  return { ...before, orders, status, slots, sum, together };
}

function report({ slots }: Order, phase: ReplicaReport['phase'], more: Partial<GroupReport> = {}): GroupReport {
  const replicas = slots.map(({ slot }): ReplicaReport => ({ slot, run: 1, version, phase }));
  return { group: 'web', epoch: 3n, serial: 7n, round: 1, replicas, restarted: 0, ...more };
}

function reported(before: GroupFacts, more: Partial<GroupReport> = {}): GroupFacts {
  return { ...before, reports: new Map([...before.orders].map(([id, order]) => [id, report(order, 'ready', more)])) };
}

describe('leadGroup', () => {
  it('orders what belongs on each node, once', () => {
    const first = leadGroup(facts(), 0);
    expect([...first.orders].map(([id, order]) => [id, order?.slots])).toEqual([
      [1, [{ slot: 1, version }]],
      [2, [{ slot: 2, version }]],
    ]);
    expect(first.events.map(({ kind, text }) => [kind, text])).toEqual([
      ['placed', 'on n1'],
      ['placed', 'on n2'],
    ]);
    const second = leadGroup(written(facts(), first), 0);
    expect([second.orders.size, second.events, second.status]).toEqual([0, [], first.status]);
  });

  it('does not give the orders of a former leader again', () => {
    const stands = written(facts(), leadGroup(facts(), 0));
    const earlier = new Map([...stands.orders].map(([id, order]) => [id, { ...order, epoch: 1n }]));
    expect(leadGroup({ ...stands, orders: earlier }, 0).orders.size).toBe(0);
  });

  it('stops all of a group that a node has given up, says why, and begins anew in the next round', () => {
    const stands = reported(written(facts(), leadGroup(facts(), 0)), { failed: 'too often' });
    const failing = leadGroup(stands, 0);
    expect([failing.status.failed, failing.events]).toEqual(['too often', [{ kind: 'failed', text: 'too often' }]]);
    const stopped = leadGroup(written(stands, failing), 0);
    expect([...stopped.orders.values()].map((order) => order?.slots)).toEqual([[], []]);
    const again = leadGroup({ ...written(stands, failing), wanted: { spec, round: 2, restarts: 0 } }, 0);
    expect(again.status.failed).toBeUndefined();
    expect([...again.orders.values()].map((order) => [order?.round, order?.slots.length])).toEqual([
      [2, 1],
      [2, 1],
    ]);
  });

  it('counts the restarts of all nodes together', () => {
    const stands = reported(written(facts(), leadGroup(facts(), 0)), { restarted: 2 });
    expect(leadGroup(stands, 0).status.failed).toBe('4 restarts within 30s, where 3 are allowed, on 2 nodes');
  });

  it('is over where it was to be removed and no node has anything of it', () => {
    const stands = reported(written(facts(), leadGroup(facts(), 0)));
    const removed: GroupFacts = {
      ...stands,
      wanted: { spec, round: 1, restarts: 0, rest: 'removed' },
      placed: new Map(),
    };
    const ending = leadGroup(removed, 0);
    expect([ending.isOver, [...ending.orders.values()].map((order) => order?.slots)]).toEqual([false, [[], []]]);
    const gone = written(removed, ending);
    const told = new Map([...gone.orders].map(([id, order]) => [id, report(order, 'down')]));
    expect(leadGroup({ ...gone, reports: told }, 0).isOver).toBe(true);
  });

  it('gives what was on a lost node to another one, and tells it', () => {
    const stands = reported(written(facts(), leadGroup(facts(), 0)));
    const lost = leadGroup(
      {
        ...stands,
        nodes: new Map([...stands.nodes, [2, { isAlive: false, name: 'n2', freeAtMs: 0 }]]),
        reports: new Map([...stands.reports].filter(([id]) => id !== 2)),
        placed: new Map([
          [1, 1],
          [2, 1],
        ]),
      },
      0,
    );
    expect(lost.orders.get(2)).toBeNull();
    expect(lost.orders.get(1)?.slots.map(({ slot }) => slot)).toEqual([1, 2]);
    expect(lost.events).toEqual([
      { kind: 'lost', slot: 2, text: 'web/2 with n2' },
      { kind: 'placed', slot: 2, text: 'on n1' },
    ]);
  });

  it('tells in its orders what has ended for good, so that a node that knows nothing of it does not start it again', () => {
    const jobs = parseGroupSpec({ name: 'web', command: ['serve'], replicas: 2, restart: 'temporary' });
    const wanted = { spec: jobs, round: 1, restarts: 0 };
    const stands = written(facts({ wanted }), leadGroup(facts({ wanted }), 0));
    const ended = leadGroup(
      { ...stands, reports: new Map([...stands.orders].map(([id, order]) => [id, report(order, 'ended')])) },
      0,
    );
    const [order] = ended.orders.values();
    expect(order?.slots).toEqual([{ slot: 1, version, rests: 'ended' }]);
    const stored = readOrder(writeOrder({ ...must(order), epoch: 3n }), 'web', 9n);
    // An agent whose records are gone: kept for a week, and a thousand of them.
    const { state, actions } = stepNode(initialNodeState(), { kind: 'order', order: stored }, 0);
    expect(actions.filter(({ kind }) => kind === 'start')).toEqual([]);
    const [told] = actions.flatMap((action) => (action.kind === 'report' ? action.report.replicas : []));
    expect(told).toMatchObject({ slot: 1, version, phase: 'ended' });
    // A person starts it again.
    const again = { ...stored, serial: 10n, round: 2, slots: [{ slot: 1, version }] };
    expect(stepNode(state, { kind: 'order', order: again }, 0).actions.map(({ kind }) => kind)).toContain('start');
    // Another version is another thing to do.
    const updated = { ...stored, serial: 10n, slots: [{ slot: 1, version: 'v2' }] };
    expect(stepNode(state, { kind: 'order', order: updated }, 0).actions.map(({ kind }) => kind)).toContain('start');
  });
});

function must<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw new Error('it is not there');
  return value;
}
