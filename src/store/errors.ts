/**
 * The wording of every error of the store. Which one it is decides what a caller may do next, so backends make them here alone:
 * `storeUnavailable` may be tried again, `storeUnknown` only after reading what became of it.
 */
import { NshError, type ErrorCode } from '../protocol/errors.ts';
import type { SessionId } from './store.ts';

const isCode =
  (code: ErrorCode) =>
  (error: unknown): error is NshError =>
    error instanceof NshError && error.code === code;

/** Certainly not applied. @param why names the store and what failed: `etcd at http://…: connection refused`. */
export function storeUnavailable(why: string, cause?: unknown): NshError {
  return new NshError('storeUnavailable', `the store cannot be reached: ${why}`, { cause });
}
export const isUnavailable = isCode('storeUnavailable');

/** A write whose answer did not come: it may have been applied, now or in a moment. */
export function storeUnknown(why: string, cause?: unknown): NshError {
  return new NshError('storeUnknown', `the store gave no answer, and may have done it: ${why}`, { cause });
}
export const isUnknown = isCode('storeUnknown');

/** @param revision the compacted one: what lies before it is gone. */
export function storeCompacted(revision: bigint): NshError {
  return new NshError('storeCompacted', `the store has forgotten what lies before revision ${revision}`, {
    data: { revision: String(revision) },
  });
}
export const isCompacted = isCode('storeCompacted');

/** To whoever watches another store is as one that has forgotten everything: it lists, and watches from there. */
export function storeMoved(): NshError {
  return new NshError(
    'storeCompacted',
    'the cluster file names another store now: what was known of the one before is to be read anew',
    {
      data: { revision: '0' },
    },
  );
}

/** Of a `storeCompacted`. */
export function compactedRevision(error: NshError): bigint {
  const revision = error.data?.['revision'];
  return typeof revision === 'string' && /^\d+$/.test(revision) ? BigInt(revision) : 0n;
}

export function sessionLost(id: SessionId, why: string): NshError {
  return new NshError('sessionLost', `the session ${id} has ended: ${why}`, { data: { session: id } });
}
export const isSessionLost = isCode('sessionLost');

export function storeClosed(): NshError {
  return new NshError('storeClosed', 'the store is closed in this process');
}
export const isClosed = isCode('storeClosed');

export function storeTooLarge(what: string): NshError {
  return new NshError('tooLarge', `too large for the store: ${what}`);
}
export const isTooLarge = isCode('tooLarge');

const ownCodes: ReadonlySet<ErrorCode> = new Set([
  'storeUnavailable',
  'storeUnknown',
  'storeCompacted',
  'sessionLost',
  'tooLarge',
  'invalidParams',
]);

/** One of a store itself, which says by its code what was done. */
export function isStoreError(error: unknown): boolean {
  return error instanceof NshError && ownCodes.has(error.code);
}

/** A request that no store would take. */
export function storeMisuse(what: string): NshError {
  return new NshError('invalidParams', `the store was asked for what cannot be: ${what}`);
}
