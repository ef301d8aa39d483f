import { afterEach, expect, it } from 'vitest';
import { Expiry } from '../../../agent/store/expiry.ts';
import type { SessionId } from '../../../src/store/store.ts';

const [a, b] = ['a', 'b'] as unknown as [SessionId, SessionId];
let now = 0;
const expired: SessionId[] = [];
const expiry = new Expiry({
  now: () => now,
  onExpired: (id) => {
    expired.push(id);
    expiry.drop(id);
  },
});
afterEach(() => {
  expiry.close();
  expired.length = 0;
});

function ticks(count: number): void {
  for (let i = 0; i < count; i++) {
    now += 250;
    expiry.tick();
  }
}

it('ends a session once its TTL has passed without a renewal, not before', () => {
  expiry.renew(a, 1_000);
  expiry.renew(b, 2_000);
  ticks(3);
  expect(expired).toEqual([]);
  ticks(1);
  expect(expired).toEqual([a]);
  expiry.renew(b, 2_000);
  ticks(7);
  expect(expired).toEqual([a]);
  ticks(1);
  expect(expired).toEqual([a, b]);
  expect(expiry.size).toBe(0);
});

it('does not count the time in which the process stood still', () => {
  expiry.renew(a, 2_000);
  ticks(4);
  now += 60_000;
  ticks(3);
  expect(expired).toEqual([]);
  ticks(1);
  expect(expired).toEqual([a]);
});
