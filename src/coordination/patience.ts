/**
 * Going on over failures of the store, where that is right: reads, and writes that may be done any number of times. What changes
 * something once only is never repeated by these.
 */
import { isUnavailable, isUnknown } from '../store/errors.ts';
import { backoffDelayMs, type Backoff } from '../policy/backoff.ts';

const backoff: Backoff = { baseMs: 50, maxMs: 1_000 };

/**
 * Does `work` until the store answers.
 * @param work reads, or changes nothing when it is done again.
 * @throws what `signal` fired with; every error but `storeUnavailable` and `storeUnknown`.
 */
export async function untilAnswered<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await unlessAborted(signal, work());
    } catch (error) {
      if (signal.aborted || !(isUnavailable(error) || isUnknown(error))) throw error;
    }
    await pauseAfter(failures, signal);
  }
}

/** Longer after each failure. Ends at once when the signal fires. */
export function pauseAfter(failures: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, backoffDelayMs(failures, backoff, Math.random()));
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

/** As `work`, or throws the signal's reason as soon as it fires; what `work` comes to is not waited for then. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
