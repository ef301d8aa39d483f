/** Waits on a condition with a bound: nothing in a test sleeps for a fixed time. */
import { setTimeout as delay } from 'node:timers/promises';

/** @throws Error naming the condition where it does not come true in time. */
export async function waitUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > deadlineMs) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await delay(10);
  }
}
