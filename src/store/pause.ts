/** Waiting before something is tried again. */
import type { Backoff } from '../policy/backoff.ts';

/** Of a watch, and of a read, whose store is away. */
export const watchBackoff: Backoff = { baseMs: 100, maxMs: 5_000 };

/** Resolves after so many ms, or at once when the signal fires. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted === true) done();
  });
}
