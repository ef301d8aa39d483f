/**
 * Processes that are killed at a time which their agent moves on while it may: the deadline of a singleton, agent or no agent
 * (src/policy/placement/fence.ts). Times are of CLOCK_BOOTTIME, which goes on while the machine sleeps; timers do not, so the clock is read
 * again at least every second.
 */
import { uptime } from 'node:os';

/** Longest time between two looks at the clock, ms. */
const lookMs = 1_000;

export interface KillTimesOptions<P> {
  /** Called once, when its time has come. */
  readonly kill: (process: P) => void;
  /** ms of CLOCK_BOOTTIME; default: the machine's. */
  readonly bootMs?: () => number;
}

export class KillTimes<P> {
  readonly #kill: (process: P) => void;
  readonly #bootMs: () => number;
  readonly #times = new Map<P, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ kill, bootMs = () => uptime() * 1000 }: KillTimesOptions<P>) {
    this.#kill = kill;
    this.#bootMs = bootMs;
  }

  /** @param atBootMs in place of the time before; what has passed already kills at once. */
  set(process: P, atBootMs: number): void {
    this.#times.set(process, atBootMs);
    this.#look();
  }

  delete(process: P): void {
    this.#times.delete(process);
    if (this.#times.size === 0) clearTimeout(this.#timer);
  }

  #look(): void {
    clearTimeout(this.#timer);
    const nowMs = this.#bootMs();
    for (const [process, atMs] of this.#times) {
      if (atMs > nowMs) continue;
      this.#times.delete(process);
      this.#kill(process);
    }
    if (this.#times.size === 0) return;
    const nextMs = Math.min(...this.#times.values()) - nowMs;
    this.#timer = setTimeout(() => this.#look(), Math.min(lookMs, Math.ceil(nextMs)));
  }
}
