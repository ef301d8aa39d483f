/** When a session is over by its holder's own clocks. */
import { expect, it } from 'vitest';
import { KeptSession } from '../../src/store/kept-session.ts';
import { storeUnavailable } from '../../src/store/errors.ts';
import type { SessionId } from '../../src/store/store.ts';

const id = '6d79' as SessionId;

/** Of 60 s, with a machine that can be put to sleep. */
function open(renew: () => Promise<void>) {
  const machine = { sleptMs: 0 };
  const clock = { monotonicMs: () => performance.now(), bootMs: () => 1_000_000 + performance.now() + machine.sleptMs };
  const sentAtMs = performance.now();
  const revoke = async (): Promise<void> => {
    await Promise.resolve();
  };
  const session = new KeptSession({ id, ttlMs: 60_000, sentAtMs, calls: { renew, revoke }, clock });
  return { machine, sentAtMs, session };
}

it('is over sooner by as much as the machine has slept', async () => {
  let renewals = 0;
  const { machine, session, sentAtMs } = open(async () => {
    renewals += 1;
    await Promise.resolve();
  });
  expect(session.deadline()).toBe(sentAtMs + 60_000);
  machine.sleptMs = 20_000;
  expect(session.deadline()).toBeCloseTo(sentAtMs + 40_000, -3);
  await session.renew();
  expect(session.deadline()).toBeGreaterThanOrEqual(sentAtMs + 60_000);
  machine.sleptMs += 61_000;
  expect(session.deadline()).toBeLessThan(performance.now());
  await expect(session.renew()).rejects.toMatchObject({ code: 'sessionLost', data: { session: id } });
  expect(session.lost.aborted).toBe(true);
  expect(renewals).toBe(1);
});

it('takes no sleep during a renewal for time that it has won', async () => {
  const { machine, session, sentAtMs } = open(async () => {
    machine.sleptMs += 30_000;
    await Promise.resolve();
  });
  await session.renew();
  expect(session.deadline()).toBeLessThan(sentAtMs + 31_000);
  session.release();
});

it('keeps its deadline when a renewal fails', async () => {
  const { session } = open(() => Promise.reject(storeUnavailable('nobody is there')));
  const before = session.deadline();
  await expect(session.renew()).rejects.toMatchObject({ code: 'storeUnavailable' });
  expect(session.deadline()).toBe(before);
  expect(session.lost.aborted).toBe(false);
  session.release();
});
