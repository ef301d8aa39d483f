import { describe, expect, it } from 'vitest';
import type { GroupReport } from '../../../src/policy/supervision/order.ts';
import { emptySum, sumRestarts, type RestartSum } from '../../../src/policy/supervision/restart-sum.ts';
import { specOf } from './scenario.ts';

const spec = specOf({ intensity: 3, period: '30s' });
const reports = (counts: Readonly<Record<number, number>>, round = 1): Map<number, GroupReport> =>
  new Map(
    Object.entries(counts).map(([node, restarted]) => [
      Number(node),
      { group: 'web', epoch: 1n, serial: 1n, round, replicas: [], restarted },
    ]),
  );

/** Time and counts by node, one after the other: when the sum was too much. */
function play(looks: readonly (readonly [number, Readonly<Record<number, number>>])[]): (string | undefined)[] {
  let sum: RestartSum = emptySum(1);
  return looks.map(([atMs, counts]) => {
    const step = sumRestarts(sum, reports(counts), spec, atMs);
    sum = step.sum;
    return step.failed;
  });
}

describe('the restarts of all nodes together', () => {
  it('stop the group when they are more than the intensity within the period', () => {
    const looks = [
      [0, { 1: 1 }],
      [1_000, { 1: 1, 2: 2 }],
      [2_000, { 1: 2, 2: 2 }],
    ] as const;
    expect(play(looks)).toEqual([undefined, undefined, '4 restarts within 30s, where 3 are allowed, on 2 nodes']);
  });

  it('say of one replica how it ended, if not as it was asked to', () => {
    const end = { kind: 'exited', code: 3 } as const;
    const known = [
      { slot: 1, run: 2, version: 'v', phase: 'ready', end: { kind: 'signalled', signal: 'TERM' }, asked: true },
      { slot: 2, run: 4, version: 'v', phase: 'waiting', end, asked: false },
    ] as const;
    const both = new Map([...reports({ 1: 2, 2: 2 })].map(([node, each]) => [node, { ...each, replicas: known }]));
    expect(sumRestarts(emptySum(1), both, spec, 0).failed).toBe(
      '4 restarts within 30s, where 3 are allowed, on 2 nodes: web/2 exited with status 3',
    );
  });

  it('count each restart once, and not those older than the period', () => {
    const looks = [
      [0, { 1: 2 }],
      [1_000, { 1: 2 }],
      [31_000, { 1: 2, 2: 3 }],
      [61_001, { 1: 3, 2: 5 }],
    ] as const;
    expect(play(looks)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('begin anew with a new agent, and with a new round', () => {
    expect(
      play([
        [0, { 1: 3 }],
        [1_000, { 1: 0 }],
        [2_000, { 1: 1 }],
      ])[2],
    ).toMatch(/^4 restarts/);
    expect(sumRestarts(emptySum(2), reports({ 1: 9 }, 1), spec, 0).failed).toBeUndefined();
  });

  it('count those of a leader whose clock was ahead as just now, and not for as long as it was ahead', () => {
    const ahead: RestartSum = { round: 1, counted: new Map([[1, 3]]), restarts: [7_200_000, 7_200_001, 7_200_002] };
    const { sum } = sumRestarts(ahead, reports({ 1: 3 }), spec, 1_000);
    expect(sum.restarts).toEqual([1_000, 1_000, 1_000]);
    expect(sumRestarts(sum, reports({ 1: 4 }), spec, 32_000).failed).toBeUndefined();
  });
});
