import { describe, expect, test } from 'vitest';
import { selectExpired } from '../../src/policy/retention.ts';

const now = 1_000_000;
const entry = (key: string, ageMs: number): { key: string; endedAtMs: number } => ({ key, endedAtMs: now - ageMs });

describe('of ended processes', () => {
  test.each([
    ['none goes within both bounds', [entry('a', 10), entry('b', 20)], 2, 100, []],
    ['the oldest go beyond the number', [entry('a', 10), entry('b', 30), entry('c', 20)], 1, 100, ['b', 'c']],
    ['those go that have reached the age', [entry('a', 100), entry('b', 99)], 10, 100, ['a']],
    ['a number of 0 keeps none', [entry('a', 1)], 0, 100, ['a']],
    ['an age of 0 keeps none', [entry('a', 0), entry('b', 1)], 10, 0, ['b', 'a']],
    ['one that ended in the future stays', [entry('a', -5000)], 10, 100, []],
    ['nothing comes of nothing', [], 0, 0, []],
  ])('%s', (_, entries, maxEnded, maxAgeMs, expired) => {
    expect(selectExpired(entries, now, { maxEnded, maxAgeMs })).toEqual(expired);
  });
});
