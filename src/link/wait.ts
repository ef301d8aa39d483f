/** Waiting with an end: for a signal, or for a number of milliseconds. */
import { NshError } from '../protocol/errors.ts';

/** The reason of an aborted signal as an NshError: `timeout` for a deadline, `cancelled` for a person or caller who left. */
export function abortError(signal: AbortSignal, what: string): NshError {
  const reason: unknown = signal.reason;
  if (reason instanceof NshError) return reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  return new NshError(timedOut ? 'timeout' : 'cancelled', `${what}: ${timedOut ? 'no answer in time' : 'given up'}`, {
    cause: reason,
  });
}

/** `work`, or the signal's end, whichever comes first. `work` itself goes on: its owner must end it on the same signal. */
export async function withSignal<T>(work: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined); // Its failure no longer concerns anyone.
    throw abortError(signal, what);
  }
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortError(signal, what));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** @throws NshError where the signal fires first. */
export async function delay(ms: number, signal: AbortSignal, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await withSignal(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      }),
      signal,
      what,
    );
  } finally {
    clearTimeout(timer);
  }
}
