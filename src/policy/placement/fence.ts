/**
 * When a singleton may run elsewhere: not before its former node has certainly ended it. Pure.
 *
 * Who holds it promises: no renewal of the session that was sent at t is acted on beyond t + `killMs`, since the shim kills what was not
 * renewed by then, whatever became of the agent (its clock is CLOCK_BOOTTIME, which goes on while the machine sleeps). The store promises: a
 * session does not end by itself sooner than the TTL after the last renewal that it got, and it got that after it was sent. So a session
 * that has expired is at least TTL − `killMs` past the kill, and that must be more than what clocks may differ over a TTL and what a KILL
 * may take. An agent gives its session back only where nothing of it runs any more, so one that is gone has expired, or is as good as that.
 * Whoever revokes one by hand says the same of it (man/nsh-group.5); an agent that learns of it kills its singletons at once.
 */

export interface FenceTimes {
  /** Of a session, ms. */
  readonly ttlMs: number;
  /** A session is renewed as often, ms. */
  readonly renewMs: number;
  /** After the sending of the last acknowledged renewal the agent ends singletons itself, with their stop signal. ms. */
  readonly fenceMs: number;
  /** After the same moment the shim kills them. ms. */
  readonly killMs: number;
}

/** Share of the TTL: 15 s make 4, 10 and 12 s. */
export function fenceTimes(ttlMs: number): FenceTimes {
  return {
    ttlMs,
    renewMs: Math.floor(ttlMs * 0.27),
    fenceMs: Math.floor((ttlMs * 2) / 3),
    killMs: Math.floor(ttlMs * 0.8),
  };
}

/** Clocks of two machines differ by no more than this share over the same time: ten times what quartz and NTP's slew of 500 ppm allow. */
export const maxDrift = 0.005;
/** From the shim's KILL until the process is gone. ms. A process in uninterruptible sleep may take longer: see man/nsh-group.5. */
export const killTakesMs = 1_000;

/**
 * From when on a singleton of a node whose session is gone may start elsewhere, ms of the leader's clock.
 * @param seenMs when the leader saw in the store that it is gone, ms of the same clock.
 */
export function freeAtMs(seenMs: number, { ttlMs, killMs }: FenceTimes): number {
  const longestMs = Math.ceil(killMs * (1 + maxDrift)) + killTakesMs;
  return seenMs + Math.max(0, longestMs - Math.floor(ttlMs * (1 - maxDrift)));
}
