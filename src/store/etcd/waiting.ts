/** Waiting that can be given up. */

/**
 * A signal that fires with any of the others. Call `release` when it is of no use any more: a signal outlives many calls, and would keep
 * all of them.
 */
export function anyOf(...given: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal;
  readonly release: () => void;
} {
  const sources = given.filter((signal) => signal !== undefined);
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (sources.some(({ aborted }) => aborted)) abort();
  for (const source of sources) source.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    release: () => {
      for (const source of sources) source.removeEventListener('abort', abort);
    },
  };
}

/** Resolves early where the signal fires. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener('abort', done, { once: true });
  });
}
