/**
 * When sessions end that nobody renews: on the monotonic clock, in this process's memory alone, so that after a restart each has its whole
 * TTL again (as after a change of leader in etcd: nobody could renew while nobody served). Time in which this process stood still
 * (SIGSTOP, a suspended machine) does not count either, for the same reason. Both make a session live longer, never shorter.
 */
import type { SessionId } from '../../src/store/store.ts';

export interface ExpiryOptions {
  /** Ends it. May be called again with the same one where that failed. */
  readonly onExpired: (id: SessionId) => void;
  /** The first one has come, or the last has gone. */
  readonly onChange?: () => void;
  /** ms; default `performance.now`. */
  readonly now?: () => number;
}

/** Between two looks, ms. */
const tickMs = 250;
/** A look that comes so late means that the process stood still. */
const stallMs = 1_000;

export class Expiry {
  readonly #options: ExpiryOptions;
  readonly #now: () => number;
  readonly #deadlines = new Map<SessionId, number>();
  #timer: NodeJS.Timeout | undefined;
  #lastTick = 0;

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** From now on it has `ttlMs`. */
  renew(id: SessionId, ttlMs: number): void {
    this.#deadlines.set(id, this.#now() + ttlMs);
    if (this.#timer !== undefined) return;
    this.#lastTick = this.#now();
    this.#timer = setInterval(() => this.tick(), tickMs).unref();
    this.#options.onChange?.();
  }

  drop(id: SessionId): void {
    if (!this.#deadlines.delete(id) || this.#deadlines.size > 0) return;
    this.close();
    this.#options.onChange?.();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#deadlines.clear();
  }

  /** Once every `tickMs`. */
  tick(): void {
    const now = this.#now();
    const lateMs = now - this.#lastTick - tickMs;
    this.#lastTick = now;
    if (lateMs > stallMs) for (const [id, deadline] of this.#deadlines) this.#deadlines.set(id, deadline + lateMs);
    for (const [id, deadline] of this.#deadlines) if (now >= deadline) this.#options.onExpired(id);
  }
}
