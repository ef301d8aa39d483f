/** The end of patience: every call settles within its deadline, and says truly whether it may still be applied. */
import { NshError } from '../protocol/errors.ts';
import { storeUnavailable, storeUnknown } from './errors.ts';
import { defaultDeadlineMs } from './limits.ts';
import type { CallOptions } from './store.ts';

export interface Patience extends CallOptions {
  /** Who is waited for: `the store on web1`. */
  readonly who: string;
  /** It changes something, and can no longer be held back. */
  readonly isWrite: boolean;
}

/** @throws NshError `cancelled` where the signal has fired: before anything was begun. */
export function throwIfCancelled({ signal }: CallOptions): void {
  if (signal?.aborted === true) throw cancelled(signal.reason);
}

/** Settles as `work` does, or fails once the deadline has passed or the signal fires. */
export function giveUp<T>(work: Promise<T>, { who, isWrite, deadlineMs, signal }: Patience): Promise<T> {
  const waitMs = deadlineMs ?? defaultDeadlineMs;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      settle();
      const why = `${who} did not answer within ${waitMs / 1000} s`;
      reject(isWrite ? storeUnknown(why) : storeUnavailable(why));
    }, waitMs);
    const onAbort = (): void => {
      settle();
      const reason: unknown = signal?.reason;
      reject(isWrite ? storeUnknown(`${who} was not waited for any more`, reason) : cancelled(reason));
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    work.finally(settle).then(resolve, reject);
  });
}

function cancelled(reason: unknown): NshError {
  if (reason instanceof NshError) return reason;
  return new NshError('cancelled', 'the store was asked for something that nobody waits for any more', {
    cause: reason,
  });
}
