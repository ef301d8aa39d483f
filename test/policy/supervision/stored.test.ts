/** Texts of the store; that they hold all that the policies need, the random histories of plan-group.test.ts show. */
import { describe, expect, it } from 'vitest';
import type { GroupReport, Order } from '../../../src/policy/supervision/order.ts';
import {
  readDrained,
  readEvents,
  readOrder,
  readPresence,
  readRecords,
  readReport,
  readStatus,
  readSum,
  readTogether,
  readWanted,
  writeDrained,
  writeEvents,
  writeOrder,
  writePresence,
  writeReport,
  writeStatus,
  writeSum,
  writeTogether,
  writeWanted,
} from '../../../src/policy/supervision/stored.ts';
import type { Together } from '../../../src/policy/supervision/together.ts';
import { specOf } from './scenario.ts';

const spec = specOf({ ready: 'log:^up$', env: { A: '1' }, on: '@gpu', memory: '1G' });
const order: Order = {
  group: 'web',
  epoch: 2n ** 62n,
  serial: 7n,
  round: 3,
  scope: 'leader',
  spec,
  versions: new Map([['v1', spec]]),
  slots: [
    { slot: 1, version: 'v1' },
    { slot: 2, version: 'v1', run: 4 },
  ],
};
const report: GroupReport = {
  group: 'web',
  epoch: 2n ** 62n,
  serial: 9_007_199_254_740_993n,
  round: 3,
  restarted: 2,
  failed: 'too many',
  leastEpoch: 2n ** 62n + 1n,
  replicas: [
    { slot: 1, run: 4, version: 'v1', phase: 'ready' },
    { slot: 2, run: 1, version: 'v1', phase: 'held', end: { kind: 'notReady', afterMs: 5 }, asked: false },
  ],
};

describe('what is stored', () => {
  it('is the same when it is read back: what is wanted, how it stands, what happened, and who is there', () => {
    const wanted = { spec, round: 2, restarts: 1, rest: 'stopped' } as const;
    expect(readWanted(writeWanted(wanted), 'web')).toEqual(wanted);
    const status = { serial: 2n ** 60n, round: 2, failed: 'x', outdated: [1], waits: new Map([[2, 'no room']]) };
    expect(readStatus(writeStatus(status), 'web')).toEqual(status);
    const events = [{ atMs: 5, slot: 1, run: 2, kind: 'ended', text: 'exit 3' }];
    expect(readEvents(writeEvents(events), 'web')).toEqual(events);
    const presence = {
      name: 'web1',
      boot: 'b',
      fences: true,
      memTotalBytes: 9,
      memAvailableBytes: 3,
      memoryLimit: 'rlimit',
    } as const;
    expect(readPresence(writePresence(presence), 1)).toEqual(presence);
    expect(readDrained(writeDrained({ atMs: 1, by: 'me@x' }), 1)).toEqual({ atMs: 1, by: 'me@x' });
    expect(() => readWanted('{"spec":{"name":"web"}}', 'web')).toThrow(/what is wanted of web in the store/);
  });

  it('is the same when it is read back, revisions beyond 2^53 too', () => {
    expect(readOrder(writeOrder(order), 'web', 7n)).toEqual(order);
    expect(readReport(writeReport(report), 'web')).toEqual(report);
    const sum = { round: 1, counted: new Map([[3, 2]]), restarts: [1.5, 2] };
    expect(readSum(writeSum(sum))).toEqual(sum);
    const member = {
      wanted: undefined,
      version: 'v1',
      phase: 'ready',
      recycled: false,
      replaces: true,
      failures: 1,
      notBeforeMs: 0,
    } as const;
    const state: Together = {
      round: 2,
      group: {
        members: new Map([[1, { ...member, readySinceMs: 5, lastEnd: { kind: 'lost', why: 'x' } }]]),
        restarts: [4],
        restarted: 1,
      },
      versions: new Map([[1, 'v1']]),
      runs: new Map([[1, { node: 3, run: 2 }]]),
      stopping: new Map([[2, 4]]),
      lastRuns: new Map([[1, 2]]),
      moving: 2,
    };
    expect(readTogether(writeTogether(state))).toEqual(state);
  });

  it('keeps a specification as a person writes it', () => {
    expect(JSON.parse(writeOrder(order))).toMatchObject({
      epoch: '4611686018427387904',
      spec: { ready: 'log:^up$', memory: '1G', period: '30s' },
    });
  });

  it.each([
    ['no JSON', 'x'],
    ['an epoch that is a number', writeOrder(order).replace('"4611686018427387904"', '5')],
    ['another scope', writeOrder(order).replace('"leader"', '"nobody"')],
    ['a slot 0', writeOrder(order).replace('"slot":1', '"slot":0')],
    ['a specification of a later version', writeOrder(order).replace('"memory"', '"memories"')],
    ['nothing', '{}'],
  ])('is refused with its name when it is %s', (_, text) => {
    expect(() => readOrder(text, 'web', 1n)).toThrow(/^the order for web in the store cannot be read: /);
  });

  it('is refused as a whole where a part is wrong', () => {
    expect(() => readReport(writeReport(report).replace('"held"', '"well"'), 'web')).toThrow(
      'a report on web in the store',
    );
    expect(() => readRecords('[[1,{"version":2}]]')).toThrow('the slots of a group');
    expect(() => readTogether('{}')).toThrow('the supervisor of a group');
    expect(() => readSum('[]')).toThrow('the restarts of a group');
  });
});
