/** When a lost stream is dialled again, and which failures make that pointless. Pure. */
import type { ErrorCode, NshError } from '../../protocol/errors.ts';

const firstDelayMs = 50;
const greatestDelayMs = 2_000;

/**
 * The first attempt is made at once; later ones wait twice as long each, up to 2 s, and a random part less, so that the clients of
 * a node that comes back do not all arrive together.
 */
export function retryDelayMs(attempt: number, random: () => number): number {
  if (attempt <= 0) return 0;
  const full = Math.min(greatestDelayMs, firstDelayMs * 2 ** (attempt - 1));
  return Math.round(full * (0.5 + random() / 2));
}

/** Failures that pass by themselves: a broken link, an agent that was killed, a node that does not answer just now. */
const passing: ReadonlySet<ErrorCode> = new Set(['linkLost', 'unreachable', 'timeout', 'noAgent', 'agentFailed']);

export function mayPass(error: NshError): boolean {
  return passing.has(error.code);
}
