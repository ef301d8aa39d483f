import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KillTimes } from '../../../agent/shim/kill-times.ts';

let killed: string[];
/** How far CLOCK_BOOTTIME is ahead of the timers: the machine slept. */
let sleptMs: number;
let times: KillTimes<string>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  killed = [];
  sleptMs = 0;
  times = new KillTimes<string>({
    kill: (process) => killed.push(process),
    bootMs: () => performance.now() + sleptMs,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const at = (ms: number): number => performance.now() + sleptMs + ms;

describe('KillTimes', () => {
  it('kills each at its time, once', () => {
    times.set('a', at(100));
    times.set('b', at(5_000));
    vi.advanceTimersByTime(99);
    expect(killed).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(killed).toEqual(['a']);
    vi.advanceTimersByTime(10_000);
    expect(killed).toEqual(['a', 'b']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes by the last time that was set, and by none of what has ended', () => {
    times.set('a', at(100));
    times.set('b', at(100));
    times.set('a', at(3_000));
    times.delete('b');
    vi.advanceTimersByTime(2_999);
    expect(killed).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(killed).toEqual(['a']);
  });

  it('kills within a second after a sleep of the machine', () => {
    times.set('a', at(60_000));
    vi.advanceTimersByTime(500);
    sleptMs = 3_600_000;
    vi.advanceTimersByTime(1_000);
    expect(killed).toEqual(['a']);
  });

  it('kills at once what is past its time', () => {
    times.set('a', at(-1));
    expect(killed).toEqual(['a']);
  });
});
