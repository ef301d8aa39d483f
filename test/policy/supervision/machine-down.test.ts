/** Replicas that ended with their machine: started again at once, as many as there were, and not counted as restarts. */
import { describe, expect, it } from 'vitest';
import type { End } from '../../../src/policy/supervision/end.ts';
import {
  emptyGroup,
  memberDown,
  memberReady,
  stepGroup,
  wantSlots,
  type Group,
} from '../../../src/policy/supervision/group.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { strategies } from '../../../src/policy/supervision/spec.ts';

const slots = Array.from({ length: 8 }, (_, index) => index + 1);
const unseen = { kind: 'lost', why: 'nobody knows' } as const;
const withMachine: End = { ...unseen, withMachine: true };

describe.each(strategies)('all of a group at once, %s', (strategy) => {
  const spec = parseGroupSpec({ name: 'web', command: ['sleep', '1'], replicas: slots.length, strategy, intensity: 3 });
  const started = (): Group => {
    let { group } = stepGroup(wantSlots(emptyGroup, new Map(slots.map((slot) => [slot, 'v1']))), spec, 0);
    for (const slot of slots) group = memberReady(group, slot, 0);
    return group;
  };
  const down = (end: End, times: number): Group => {
    let group = started();
    for (let round = 1; round <= times; round++)
      for (const slot of slots) group = memberDown(group, slot, end, false, spec, round);
    return group;
  };

  it('goes on however often its machines go down', () => {
    const group = down(withMachine, 5);
    expect([group.failed, group.restarted, group.restarts]).toEqual([undefined, 0, []]);
    const members = [...group.members.values()];
    expect(members.map(({ phase }) => phase)).toEqual(slots.map(() => 'down'));
    expect(members.every(({ notBeforeMs }) => notBeforeMs <= 5)).toBe(true);
  });

  it('is stopped where shims are killed as often', () => {
    expect(down(unseen, 5).failed).toMatch(/^4 restarts within 30s, where 3 are allowed/);
  });
});
