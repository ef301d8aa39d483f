import { expect, test } from 'vitest';
import { backoffDelayMs } from '../../src/policy/backoff.ts';

const backoff = { baseMs: 100, maxMs: 2_000 };

test('the longest wait doubles with each failure up to the maximum', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 1_000].map((attempt) =>
    Math.round(backoffDelayMs(attempt, backoff, 0.999_999)),
  );
  expect(longest).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
});

test('waits are spread over the whole range but never nothing', () => {
  expect(backoffDelayMs(3, backoff, 0)).toBe(40);
  expect(backoffDelayMs(3, backoff, 0.5)).toBe(220);
});
