/**
 * A supervisor written straight from the documentation of OTP's supervisor(3) and in its manner: one thing at a time, each child's start and
 * termination awaited. It shares no code and no shape with what it judges.
 */

export type Reason = 'normal' | 'shutdown' | 'abnormal';

export interface Flags {
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  readonly intensity: number;
  readonly periodMs: number;
  readonly restart: 'permanent' | 'transient' | 'temporary';
}

/** What it did, in order: `start 1`, `stop 3`. */
export class OtpSupervisor {
  readonly log: string[] = [];
  hasGivenUp = false;
  readonly #flags: Flags;
  readonly #running: boolean[];
  readonly #startFails: (child: number) => boolean;
  #restarts: number[] = [];

  /** @param startFails the start of a child returns an error, this time. */
  constructor(flags: Flags, children: number, startFails: (child: number) => boolean = () => false) {
    this.#flags = flags;
    this.#startFails = startFails;
    this.#running = Array.from({ length: children + 1 }, () => false);
  }

  /** "The child processes are started in order from left to right." */
  init(): void {
    for (let child = 1; child < this.#running.length; child++) this.#start(child);
  }

  /** "If one child process terminates and is to be restarted, …" */
  terminated(child: number, reason: Reason, nowMs: number): void {
    this.#running[child] = false;
    if (this.#flags.restart === 'temporary') return;
    if (this.#flags.restart === 'transient' && reason !== 'abnormal') return;
    for (let failed: number | undefined = child; failed !== undefined && !this.hasGivenUp; )
      failed = this.#restart(failed, nowMs);
  }

  isRunning(child: number): boolean {
    return this.#running[child] === true;
  }

  /** @returns the child whose start failed: the restart is tried again for it, and counts again. */
  #restart(child: number, nowMs: number): number | undefined {
    this.#restarts = [...this.#restarts.filter((at) => nowMs - at <= this.#flags.periodMs), nowMs];
    const all = Array.from({ length: this.#running.length - 1 }, (_, index) => index + 1);
    if (this.#restarts.length > this.#flags.intensity) {
      // "… the supervisor terminates all child processes and then itself", "in reversed start order".
      for (const other of [...all].reverse()) this.#stop(other);
      this.hasGivenUp = true;
      return undefined;
    }
    const { strategy } = this.#flags;
    const affected = strategy === 'one_for_one' ? [child] : strategy === 'one_for_all' ? all : all.slice(child - 1);
    for (const other of [...affected].reverse()) this.#stop(other);
    for (const other of affected) if (!this.#start(other)) return other;
    return undefined;
  }

  #start(child: number): boolean {
    this.log.push(`start ${child}`);
    if (this.#startFails(child)) return false;
    this.#running[child] = true;
    return true;
  }

  #stop(child: number): void {
    if (!this.isRunning(child)) return;
    this.log.push(`stop ${child}`);
    this.#running[child] = false;
  }
}
