/**
 * When a member was heard, and asked to say something. What it answers to anybody is a sign of its life and of the connection's, so of many
 * watches that hear nothing one asks for all. Times are those of `performance.now()`.
 */

/** An answer to another one who looks about as often may be a little younger than one's own last look. */
const slack = 0.75;

export class SignsOfLife {
  #heardAtMs = -Infinity;
  #askedAtMs = -Infinity;

  hear(nowMs: number): void {
    this.#heardAtMs = nowMs;
  }

  /** Since when it has said nothing to anybody, as far as is known to one who listens since then. */
  silentMs(sinceMs: number, nowMs: number): number {
    return nowMs - Math.max(sinceMs, this.#heardAtMs);
  }

  /** It has been silent for so long that it is to be asked, but for another one who has just done so. */
  isDue(sinceMs: number, nowMs: number, everyMs: number): boolean {
    return this.silentMs(sinceMs, nowMs) >= everyMs * slack;
  }

  wasJustAsked(nowMs: number, everyMs: number): boolean {
    return nowMs - this.#askedAtMs < everyMs * slack;
  }

  asked(nowMs: number): void {
    this.#askedAtMs = nowMs;
  }
}
