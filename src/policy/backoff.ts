/** How long to wait before trying again: exponential with full jitter, so that many who failed together do not return together. Pure. */

export interface Backoff {
  /** Ceiling of the first wait, ms. */
  readonly baseMs: number;
  /** Ceiling of every wait, ms. */
  readonly maxMs: number;
}

/** A new login where sshd dropped the connection before it said anything (MaxStartups). */
export const handshakeBackoff: Backoff = { baseMs: 100, maxMs: 2_000 };
/** A link that was lost. */
export const reconnectBackoff: Backoff = { baseMs: 200, maxMs: 30_000 };

/**
 * Wait before attempt `attempt` + 1, in ms, at least a tenth of the ceiling so that it never spins.
 * @param attempt failures so far, from 1
 * @param random in [0, 1)
 */
export function backoffDelayMs(attempt: number, backoff: Backoff, random: number): number {
  // 2^30 × base is beyond every sensible maximum; more would lose precision for nothing.
  const ceiling = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.round(ceiling * (0.1 + 0.9 * random));
}
