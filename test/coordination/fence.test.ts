import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fence, killTime } from '../../src/coordination/fence.ts';
import { sessionLost } from '../../src/store/errors.ts';
import type { SessionId, StoreSession } from '../../src/store/store.ts';

/** A session whose deadline the test moves. */
class HeldSession implements StoreSession {
  readonly id = 'a1' as SessionId;
  readonly ttlMs = 15_000;
  readonly controller = new AbortController();
  until = performance.now() + 15_000;
  readonly lost = this.controller.signal;
  deadline = (): number => this.until;
  renew = async (): Promise<void> => await Promise.resolve();
  close = async (): Promise<void> => await Promise.resolve();
  release = (): void => undefined;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a fence with a TTL of 15 s', () => {
  const at = (fence: Fence): string => `${fence.stop.aborted ? 'stop' : '-'} ${fence.kill.aborted ? 'kill' : '-'}`;

  it('says stop 10 s and kill 12 s after the last renewal that was acknowledged', () => {
    const session = new HeldSession();
    const fence = new Fence(session);
    vi.advanceTimersByTime(9_000);
    session.until += 8_000;
    vi.advanceTimersByTime(8_990);
    expect(at(fence)).toBe('- -');
    vi.advanceTimersByTime(20);
    expect(at(fence)).toBe('stop -');
    expect(fence.stop.reason).toMatchObject({ code: 'sessionLost' });
    // A renewal that comes now is too late: who was told to stop is stopping.
    session.until += 15_000;
    vi.advanceTimersByTime(1_980);
    expect(at(fence)).toBe('stop -');
    vi.advanceTimersByTime(20);
    expect(at(fence)).toBe('stop kill');
    expect(session.deadline() - killTime(session, session.deadline())).toBe(3_000);
  });

  it('says stop at once when the store says that it has ended, and kill 2 s later', () => {
    const session = new HeldSession();
    const fence = new Fence(session);
    session.controller.abort(sessionLost(session.id, 'the store does not know it'));
    expect(at(fence)).toBe('stop -');
    vi.advanceTimersByTime(2_000);
    expect(at(fence)).toBe('stop kill');
  });

  it('says both at once where this process has stood still past the deadline', () => {
    const session = new HeldSession();
    session.until = performance.now() - 1;
    const fence = new Fence(session);
    expect(fence.stop.aborted).toBe(true);
    vi.advanceTimersByTime(0);
    expect(at(fence)).toBe('stop kill');
  });

  it('says nothing once nothing is held any more', () => {
    const session = new HeldSession();
    const fence = new Fence(session);
    fence.close();
    session.controller.abort(sessionLost(session.id, 'closed'));
    vi.advanceTimersByTime(60_000);
    expect(at(fence)).toBe('- -');
  });
});
