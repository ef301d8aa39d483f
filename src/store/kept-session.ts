/**
 * A session as its holder has it, over any backend: renewed every third of its TTL, and given up for lost by our own clock before the store
 * can have ended it. The deadline counts from the *sending* of the last renewal that was acknowledged (Gray and Cheriton, Leases, 1989),
 * on the monotonic clock, so neither a slow answer nor a changed wall clock makes it too late. That clock stands still while the machine
 * sleeps, and the store's does not: the time slept is taken off.
 */
import { setMaxListeners } from 'node:events';
import { uptime } from 'node:os';
import { isSessionLost, sessionLost, storeClosed } from './errors.ts';
import type { CallOptions, SessionId, SessionOptions, StoreSession } from './store.ts';

/** What a backend does for its sessions. */
export interface SessionCalls {
  /** Resolves when the store has acknowledged it. @throws NshError `sessionLost`, `storeUnavailable`, `storeUnknown`, `storeClosed` */
  renew(id: SessionId, options: CallOptions): Promise<void>;
  /** @throws NshError as `renew` */
  revoke(id: SessionId, options: CallOptions): Promise<void>;
}

export interface SessionClock {
  /** ms, as `performance.now()`. */
  monotonicMs(): number;
  /** ms, and sleep counts (CLOCK_BOOTTIME), in steps of 10 ms. */
  bootMs(): number;
}

const systemClock: SessionClock = {
  monotonicMs: () => performance.now(),
  bootMs: () => uptime() * 1_000,
};

export interface KeptSessionOptions {
  readonly id: SessionId;
  readonly ttlMs: number;
  /** `performance.now()` when the request that opened or first renewed it was sent. */
  readonly sentAtMs: number;
  readonly calls: SessionCalls;
  readonly onRenewed?: SessionOptions['onRenewed'];
  /** It is kept no more: closed, released, or lost. */
  readonly onEnd?: () => void;
  /** Default: the machine's. */
  readonly clock?: SessionClock;
}

/** Renewals in each TTL. */
const renewalsPerTtl = 3;
/** Between one that failed and the next, ms at most. */
const maxRetryMs = 1_000;
/** Less is the coarseness of the clock, and no sleep. */
const leastSleepMs = 100;

export class KeptSession implements StoreSession {
  readonly id: SessionId;
  readonly ttlMs: number;
  readonly #options: KeptSessionOptions;
  readonly #lost = new AbortController();
  #state: 'kept' | 'released' | 'ended' = 'kept';
  readonly #clock: SessionClock;
  #deadline: number;
  /** How far the boot clock was ahead of the monotonic one when the deadline was set. */
  #ahead: number;
  #renewTimer: NodeJS.Timeout | undefined;
  #lostTimer: NodeJS.Timeout | undefined;

  constructor(options: KeptSessionOptions) {
    this.#options = options;
    this.id = options.id;
    this.ttlMs = options.ttlMs;
    // One for each thing that is held through it, and there is no bound to those.
    setMaxListeners(0, this.#lost.signal);
    this.#clock = options.clock ?? systemClock;
    this.#deadline = options.sentAtMs + options.ttlMs;
    this.#ahead = this.#measureAhead();
    this.#armLost();
    this.#renewIn(this.ttlMs / renewalsPerTtl);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  deadline(): number {
    const sleptMs = this.#measureAhead() - this.#ahead;
    return this.#deadline - (sleptMs > leastSleepMs ? sleptMs : 0);
  }

  async renew(options: CallOptions = {}): Promise<void> {
    if (this.#state === 'released') throw storeClosed();
    this.#endIfLate();
    if (this.#state === 'ended') throw this.#lost.signal.reason;
    const sentAtMs = this.#clock.monotonicMs();
    const ahead = this.#measureAhead();
    try {
      await this.#options.calls.renew(this.id, options);
    } catch (error) {
      if (isSessionLost(error)) this.#end(error);
      throw error;
    }
    // Answers may overtake each other, and come when the session is kept no more.
    const deadline = sentAtMs + this.ttlMs;
    if (this.#state !== 'kept' || deadline <= this.#deadline) return;
    this.#deadline = deadline;
    this.#ahead = ahead;
    this.#armLost();
    this.#options.onRenewed?.(deadline);
  }

  async close(options: CallOptions = {}): Promise<void> {
    if (this.#state === 'ended') return;
    this.#end(sessionLost(this.id, 'it was closed here'));
    try {
      await this.#options.calls.revoke(this.id, options);
    } catch (error) {
      if (!isSessionLost(error)) throw error;
    }
  }

  release(): void {
    if (this.#state !== 'kept') return;
    this.#state = 'released';
    this.#stop();
  }

  #end(reason: Error): void {
    if (this.#state !== 'kept') return;
    this.#state = 'ended';
    this.#stop();
    this.#lost.abort(reason);
  }

  #stop(): void {
    clearTimeout(this.#renewTimer);
    clearTimeout(this.#lostTimer);
    this.#options.onEnd?.();
  }

  #armLost(): void {
    clearTimeout(this.#lostTimer);
    // setTimeout holds 24.8 days at most; a session that long is looked at again then.
    const waitMs = Math.min(Math.max(0, this.deadline() - this.#clock.monotonicMs()), 0x7fffffff);
    this.#lostTimer = setTimeout(() => {
      this.#endIfLate();
      if (this.#state === 'kept') this.#armLost();
    }, waitMs);
    this.#lostTimer.unref();
  }

  #endIfLate(): void {
    if (this.#clock.monotonicMs() < this.deadline()) return;
    this.#end(sessionLost(this.id, `it could not be renewed for ${this.ttlMs / 1000} s`));
  }

  #measureAhead(): number {
    return this.#clock.bootMs() - this.#clock.monotonicMs();
  }

  #renewIn(ms: number): void {
    this.#renewTimer = setTimeout(() => void this.#renewByItself(), Math.min(ms, 0x7fffffff));
    this.#renewTimer.unref();
  }

  async #renewByItself(): Promise<void> {
    const everyMs = this.ttlMs / renewalsPerTtl;
    let nextMs = everyMs;
    try {
      await this.renew({ deadlineMs: everyMs });
    } catch {
      // Lost is told by the signal; anything else is tried again until the deadline.
      nextMs = Math.min(maxRetryMs, everyMs / 4);
    }
    if (this.#state === 'kept') this.#renewIn(nextMs);
  }
}
