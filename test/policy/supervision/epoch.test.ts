/** Leaders of a store that counts on, and of one that has begun anew, together with nodes that have seen both. */
import { expect, it } from 'vitest';
import { epochOf } from '../../../src/policy/supervision/epoch.ts';
import { leadGroup } from '../../../src/policy/supervision/lead.ts';
import { initialNodeState, stepNode, type NodeState } from '../../../src/policy/supervision/node.ts';
import type { GroupReport, Order } from '../../../src/policy/supervision/order.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { versionOf } from '../../../src/policy/supervision/spec.ts';

const spec = parseGroupSpec({ name: 'web', command: ['serve'] });
const version = versionOf(spec);
const versions = new Map([[version, spec]]);
const order = (epoch: bigint, serial: bigint, slot = 1): Order => ({
  group: 'web',
  epoch,
  serial,
  spec,
  versions,
  slots: [{ slot, version }],
  scope: 'node',
  round: 1,
});

class TestNode {
  state: NodeState;
  report: GroupReport | undefined;

  constructor(epoch?: bigint) {
    this.state = initialNodeState(epoch === undefined ? [] : [['web', epoch]]);
  }

  feed(event: Parameters<typeof stepNode>[1]): readonly string[] {
    const { state, actions } = stepNode(this.state, event, 0);
    this.state = state;
    for (const action of actions) if (action.kind === 'report') this.report = action.report;
    return actions.map(({ kind }) => kind).filter((kind) => kind !== 'report');
  }
}

it.each([
  ['is the create revision of its key', {}, 20n],
  ['stays above what its reports ask for', { before: 91n, reports: [{ leastEpoch: 91n }, {}] }, 91n],
  ['is above those of leaders before it', { orders: [{ epoch: 90n }] }, 91n],
  ['is not above its own orders', { before: 91n, orders: [{ epoch: 91n }] }, 91n],
  ['is what a node asks for that has seen more', { orders: [{ epoch: 30n }], reports: [{ leastEpoch: 78n }] }, 78n],
])('the epoch of a leader %s', (_what, facts, epoch) => {
  expect(epochOf({ before: undefined, token: 20n, orders: [], reports: [], ...facts })).toBe(epoch);
});

it('a node that has nothing of the group says what it would obey', () => {
  const node = new TestNode(90n);
  expect(node.feed({ kind: 'order', order: order(5n, 9n) })).toEqual(['refuse']);
  expect(node.report).toMatchObject({ leastEpoch: 91n, serial: 0n, replicas: [] });
  expect(node.feed({ kind: 'order', order: order(91n, 10n) })).toEqual(['remember', 'start']);
  expect(node.report).toMatchObject({ epoch: 91n, serial: 10n });
  expect(node.report?.leastEpoch).toBeUndefined();
});

it.each([
  ['a lower epoch', order(6n, 12n, 2)],
  ['the same epoch, by a store that has gone back', order(7n, 8n, 2)],
])('a node that refuses %s goes on with what it has, and says so until it obeys', (_what, refused) => {
  const node = new TestNode();
  node.feed({ kind: 'order', order: order(7n, 9n) });
  expect(node.feed({ kind: 'order', order: refused })).toEqual(['refuse']);
  node.feed({ kind: 'started', group: 'web', slot: 1, run: 1 });
  expect(node.report).toMatchObject({ serial: 9n, leastEpoch: 8n, replicas: [{ slot: 1, phase: 'ready' }] });
  node.feed({ kind: 'order', order: order(8n, 7n, 2) });
  expect(node.report).toMatchObject({ epoch: 8n, serial: 7n });
  expect(node.report?.leastEpoch).toBeUndefined();
});

it('the leader writes an order again that was refused, until it has an epoch that will do', () => {
  const orders = (epoch: bigint): number =>
    leadGroup(
      {
        wanted: { spec, round: 1, restarts: 0 },
        serial: 5n,
        status: undefined,
        slots: new Map(),
        sum: undefined,
        together: undefined,
        orders: new Map([[1, order(epoch, 7n)]]),
        reports: new Map([
          [1, { group: 'web', epoch: 0n, serial: 0n, round: 0, replicas: [], restarted: 0, leastEpoch: 91n }],
        ]),
        nodes: new Map([[1, { isAlive: true, name: 'n1' }]]),
        placed: new Map([[1, 1]]),
        unplaced: new Map(),
      },
      0,
    ).orders.size;
  expect([orders(5n), orders(91n)]).toEqual([1, 0]);
});
