import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { abilities, PausableDeadline } from '../../../agent/daemon/link-context.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('PausableDeadline', () => {
  it('fires at its time, with its message', () => {
    const deadline = new PausableDeadline(1000, 'too long');
    vi.advanceTimersByTime(999);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.signal.reason).toMatchObject({ code: 'timeout', message: 'too long' });
  });

  it('does not count the time in which a person is asked', () => {
    const deadline = new PausableDeadline(1000, 'too long');
    vi.advanceTimersByTime(600);
    deadline.pause();
    vi.advanceTimersByTime(60_000);
    expect(deadline.signal.aborted).toBe(false);
    deadline.resume();
    vi.advanceTimersByTime(399);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.signal.aborted).toBe(true);
  });

  it('never fires once it is stopped', () => {
    const deadline = new PausableDeadline(1000, 'too long');
    deadline.stop();
    vi.advanceTimersByTime(10_000);
    expect(deadline.signal.aborted).toBe(false);
  });
});

describe('abilities', () => {
  const base = { mayStart: true, isOneOfMany: false, signal: new AbortController().signal };
  it('ranks a requester with a terminal over one with only an ssh-agent, and both over none', () => {
    const prompt = (): Promise<string> => Promise.resolve('');
    const none = abilities(base);
    const agent = abilities({ ...base, sshAuthSock: '/a' });
    const person = abilities({ ...base, prompt });
    expect(none).toBeLessThan(agent);
    expect(agent).toBeLessThan(person);
    expect(person).toBeLessThan(abilities({ ...base, prompt, sshAuthSock: '/a' }));
  });
});
