/**
 * A session on an etcd lease. It renews itself every third of its TTL, and its deadline is the TTL after the sending of the last renewal
 * that was acknowledged: etcd counts from its own receiving of it, which is later, so by our clock it is over before etcd can end it.
 */
import { uptime } from 'node:os';
import { isSessionLost, sessionLost, storeClosed, storeMisuse } from '../errors.ts';
import type { CallOptions, SessionId, SessionOptions, StoreSession } from '../store.ts';
import { call, callWith } from './call.ts';
import { leaseOf } from './convert.ts';
import type { Endpoints } from './endpoints.ts';
import { keepAlive, type Renewal } from './lease.ts';
import { leaseRevoke } from './methods.ts';
import { anyOf } from './waiting.ts';

export interface Clock {
  /** ms, as `performance.now()`: it stands still while the machine sleeps. */
  monotonicMs(): number;
  /** ms, also counting sleep (CLOCK_BOOTTIME), to 10 ms. */
  bootMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  bootMs: () => uptime() * 1_000,
};

/** Less is the coarseness of the clock, and no sleep. */
const leastSleepMs = 100;
/** After a renewal that failed: a fraction of the TTL, within bounds. */
const retryShare = 0.05;
const retryBounds = { least: 50, most: 500 };

type State = 'live' | 'lost' | 'closed' | 'released';

export class EtcdSession implements StoreSession {
  readonly id: SessionId;
  readonly ttlMs: number;
  readonly #endpoints: Endpoints;
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #onEnd: (session: EtcdSession) => void;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  #state: State = 'live';
  #deadline: number;
  /** How far the boot clock was ahead of the monotonic one when the deadline was set. */
  #ahead: number;
  #renewal: NodeJS.Timeout | undefined;
  #fence: NodeJS.Timeout | undefined;

  /**
   * @param first the one that made or adopted it
   * @param onEnd when it is of no use here any more
   */
  constructor(
    endpoints: Endpoints,
    id: SessionId,
    first: Renewal,
    options: SessionOptions,
    onEnd: (session: EtcdSession) => void,
    clock: Clock = systemClock,
  ) {
    this.#endpoints = endpoints;
    this.id = id;
    this.ttlMs = first.ttl * 1_000;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#clock = clock;
    this.#ahead = this.#measureAhead();
    this.#deadline = first.sentAt + this.ttlMs;
    this.#arm(first.sentAt);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  deadline(): number {
    const slept = this.#measureAhead() - this.#ahead;
    return this.#deadline - (slept > leastSleepMs ? slept : 0);
  }

  async renew(options: CallOptions = {}): Promise<void> {
    this.#checkDeadline();
    this.#checkLive();
    const leftMs = this.deadline() - this.#clock.monotonicMs();
    const deadlineMs = Math.max(1, Math.min(options.deadlineMs ?? this.ttlMs / 2, leftMs));
    const ahead = this.#measureAhead();
    const renewal = await this.#whileLive(options, (signal) =>
      callWith(this.#endpoints, { signal, deadlineMs, isWrite: false }, (endpoint, attempt) =>
        keepAlive(this.#endpoints, endpoint, leaseOf(this.id), attempt),
      ),
    );
    this.#checkLive();
    if (renewal.ttl <= 0) this.#lose('etcd does not know it');
    else if (this.#clock.monotonicMs() >= this.deadline()) this.#lose('it was renewed too late');
    else if (renewal.sentAt + renewal.ttl * 1_000 > this.#deadline) {
      this.#deadline = renewal.sentAt + renewal.ttl * 1_000;
      this.#ahead = ahead;
      this.#arm(renewal.sentAt);
      this.#options.onRenewed?.(this.#deadline);
    }
    this.#checkLive();
  }

  async close({ deadlineMs, signal }: CallOptions = {}): Promise<void> {
    if (this.#state !== 'live') return;
    this.#end('closed');
    this.#lost.abort(sessionLost(this.id, 'it was closed'));
    const options = {
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      await call(
        this.#endpoints,
        leaseRevoke,
        { id: leaseOf(this.id) },
        { ...options, isWrite: true, session: this.id },
      );
    } catch (error) {
      if (!isSessionLost(error)) throw error;
    }
  }

  release(): void {
    if (this.#state === 'live') this.#end('released');
  }

  #measureAhead(): number {
    return this.#clock.bootMs() - this.#clock.monotonicMs();
  }

  #checkLive(): void {
    if (this.#endpoints.closing.signal.aborted) throw storeClosed();
    if (this.#state === 'released') throw storeMisuse(`the session ${this.id} was released`);
    if (this.#lost.signal.aborted) throw this.#lost.signal.reason;
  }

  async #whileLive<T>(options: CallOptions, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, release } = anyOf(options.signal, this.#stopped.signal);
    try {
      return await run(signal);
    } catch (error) {
      if (options.signal?.aborted !== true) this.#checkLive();
      throw error;
    } finally {
      release();
    }
  }

  #arm(sentAt: number): void {
    const now = this.#clock.monotonicMs();
    clearTimeout(this.#fence);
    this.#fence = setTimeout(() => this.#checkDeadline(), atMost(this.#deadline - now));
    this.#schedule(sentAt + this.ttlMs / 3 - now);
  }

  #schedule(ms: number): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renewByItself(), atMost(ms));
  }

  async #renewByItself(): Promise<void> {
    if (this.#checkDeadline()) return;
    try {
      await this.renew();
    } catch {
      // Lost, or nobody answered: then it is tried again, and the deadline stands.
      const { least, most } = retryBounds;
      if (this.#state === 'live') this.#schedule(Math.min(most, Math.max(least, this.ttlMs * retryShare)));
    }
  }

  /** True: it is over. */
  #checkDeadline(): boolean {
    if (this.#state !== 'live') return true;
    const leftMs = this.deadline() - this.#clock.monotonicMs();
    if (leftMs > 0) {
      clearTimeout(this.#fence);
      this.#fence = setTimeout(() => this.#checkDeadline(), atMost(leftMs));
      return false;
    }
    this.#lose('it could not be renewed in time');
    return true;
  }

  #lose(why: string): void {
    if (this.#state !== 'live') return;
    this.#end('lost');
    this.#lost.abort(sessionLost(this.id, why));
  }

  #end(state: State): void {
    this.#state = state;
    clearTimeout(this.#fence);
    clearTimeout(this.#renewal);
    this.#stopped.abort();
    this.#onEnd(this);
  }
}

/** Node's timers take 31 bits; who is woken early looks again. */
function atMost(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), 2_147_483_647);
}
