/**
 * When a holder must stop, counted back from the moment at which the store may end its session: the rule that keeps two holders from
 * overlapping (Gray and Cheriton, Leases, 1989). With a TTL of 15 s and no renewal acknowledged: stop after 10 s, killed after 12 s. The
 * rest of the TTL is the margin for a slow machine. What is not stopped in time all the same, since it was frozen together with whoever
 * watches it, is refused by its fencing token.
 */
import { sessionLost } from '../store/errors.ts';
import type { StoreSession } from '../store/store.ts';

/** Of the TTL, before the deadline. */
const stopMargin = 1 / 3;
const killMargin = 1 / 5;
/** The deadline is looked at so often, ms: it comes nearer where the machine has slept. */
const lookMs = 1_000;

/** `performance.now()` at which whatever still runs must be killed. */
export function killTime({ ttlMs }: Pick<StoreSession, 'ttlMs'>, deadline: number): number {
  return deadline - ttlMs * killMargin;
}

export class Fence {
  readonly #session: StoreSession;
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  readonly #onLost = (): void => this.#stopNow(this.#session.lost.reason);

  constructor(session: StoreSession) {
    this.#session = session;
    session.lost.addEventListener('abort', this.#onLost, { once: true });
    if (session.lost.aborted) this.#onLost();
    else this.#watch();
  }

  /** Stop what is done in the name of this session. Once fired it stays so, also where the session is renewed after all. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whatever has not stopped is to be killed now. */
  get kill(): AbortSignal {
    return this.#kill.signal;
  }

  /** Nothing is held any more: neither signal fires. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#session.lost.removeEventListener('abort', this.#onLost);
  }

  #watch(): void {
    const left = this.#session.deadline() - this.#session.ttlMs * stopMargin - performance.now();
    if (left <= 0) {
      const { id, ttlMs } = this.#session;
      this.#stopNow(sessionLost(id, `it has not been renewed for ${Math.round((ttlMs * (1 - stopMargin)) / 1000)} s`));
      return;
    }
    this.#timer = setTimeout(() => this.#watch(), Math.min(Math.ceil(left), lookMs));
    this.#timer.unref();
  }

  #stopNow(reason: unknown): void {
    if (this.#isOver || this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    const { ttlMs } = this.#session;
    const left = killTime(this.#session, this.#session.deadline()) - performance.now();
    const grace = Math.min(ttlMs * (stopMargin - killMargin), left);
    this.#timer = setTimeout(() => this.#kill.abort(reason), Math.max(0, grace));
    this.#timer.unref();
    this.#stop.abort(reason);
  }
}
