/** Several growing results as one: yields whenever one of them has grown, with the newest of each. */

export interface Merged<T> {
  /** By source; undefined where it has said nothing yet. */
  readonly latest: readonly (T | undefined)[];
  /** All have ended. */
  readonly done: boolean;
}

/**
 * What has come while nobody took it is yielded once. A source that fails, or has not ended when `signal` fires, brings what it had
 * brought. Yields at least once; the last one is `done`.
 */
export async function* mergeGrowing<T>(
  sources: readonly AsyncIterable<T>[],
  signal: AbortSignal,
): AsyncGenerator<Merged<T>, void, undefined> {
  const latest: (T | undefined)[] = sources.map(() => undefined);
  const state = { running: sources.length, hasNews: false, wake: (): void => undefined };
  const follow = async (source: AsyncIterable<T>, index: number): Promise<void> => {
    try {
      for await (const value of source) {
        if (signal.aborted) return;
        latest[index] = value;
        state.hasNews = true;
        state.wake();
      }
    } catch {
      // Whoever cannot be asked completes nothing.
    } finally {
      state.running--;
      state.wake();
    }
  };
  for (const [index, source] of sources.entries()) void follow(source, index);
  const onAbort = (): void => state.wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (state.running > 0 && !signal.aborted) {
      if (state.hasNews) {
        state.hasNews = false;
        yield { latest: [...latest], done: false };
        continue;
      }
      await new Promise<void>((resolve) => {
        state.wake = resolve;
        if (state.hasNews || state.running === 0 || signal.aborted) resolve();
      });
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  yield { latest: [...latest], done: true };
}
