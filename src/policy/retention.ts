/** Which ended processes are forgotten: the oldest beyond a number, and those older than an age. Pure. */

export interface EndedEntry {
  readonly key: string;
  /** Unix time, ms. */
  readonly endedAtMs: number;
}

export interface RetentionLimits {
  /** Ended processes to keep; 0 keeps none. */
  readonly maxEnded: number;
  /** How long to keep one; 0 keeps none. */
  readonly maxAgeMs: number;
}

/** Keys of the entries to remove, oldest first. An end in the future (the clock was set back) counts as now. */
export function selectExpired(entries: readonly EndedEntry[], nowMs: number, limits: RetentionLimits): string[] {
  const oldestFirst = [...entries].sort((a, b) => a.endedAtMs - b.endedAtMs);
  const beyondNumber = Math.max(0, oldestFirst.length - limits.maxEnded);
  return oldestFirst
    .filter((entry, index) => index < beyondNumber || nowMs - entry.endedAtMs >= limits.maxAgeMs)
    .map((entry) => entry.key);
}
