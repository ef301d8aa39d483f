/** The jobs of a session: what it started with `&`, what was stopped, and what an earlier session has left. Numbers and marks are bash's. */
import type { ByteText } from '../language/byte-text.ts';
import type { BashEnd, StoppedBash } from './runner.ts';

export interface Job {
  readonly number: number;
  /** As `jobs` shows it. */
  readonly text: ByteText;
  /** What `$!` is: the GPID of its last process, on this machine the local PID. */
  readonly id: number;
  readonly ended: Promise<number>;
  /** Undefined while it runs. */
  status: number | undefined;
  isStopped: boolean;
  /** Grows with each stop: the one stopped last is the current one. */
  readonly stops: number;
  /** It has the terminal: its end is no news. */
  isInForeground: boolean;
  kill(signal: string): void;
  /** Absent where it cannot be brought to the terminal. @returns its status; it may have stopped again. */
  readonly resume?: (where: 'foreground' | 'background') => Promise<number>;
}

/** What is to become a job: it runs in the background, or has been stopped. */
export interface StartedJob {
  readonly id: number;
  kill(signal: string): void;
  /** It has ended: takes over what it left. @returns its status. */
  settle(end: BashEnd): number;
  /** Absent: it is stopped. */
  readonly running?: Promise<BashEnd>;
  /** Absent where it cannot be brought to the terminal. */
  readonly control?: StoppedBash;
}

export class JobTable {
  private readonly jobs: Job[] = [];
  /** Statuses of jobs that have left the table, for a later `wait PID`. */
  private readonly gone = new Map<number, number>();
  /** `$!`: stays when its job has gone. */
  lastId: number | undefined;
  /** Told of what ends in `&`, before what follows it runs. */
  onStarted: ((job: Job) => void) | undefined;
  /** Told of a job that was stopped in the background. */
  onStopped: ((job: Job) => void) | undefined;

  /** A step was started in the background, or stopped in the foreground. */
  add(text: ByteText, started: StartedJob): Job {
    const job = new TrackedJob((this.jobs.at(-1)?.number ?? 0) + 1, text, started, (stopped) =>
      this.onStopped?.(stopped),
    );
    this.jobs.push(job);
    return job;
  }

  /** A copy: jobs may leave while it is gone through. */
  get all(): readonly Job[] {
    return [...this.jobs];
  }

  /** Something here is still to be waited for or asked about. */
  get isEmpty(): boolean {
    return this.jobs.length === 0 && this.gone.size === 0;
  }

  /** `%`, `%+`, `%-`, `%N`, `%TEXT`, `%?TEXT`. Undefined: none, or more than one. */
  find(spec: string): Job | undefined {
    const rest = spec.slice(1);
    const [current, previous] = this.ranked;
    if (rest === '' || rest === '+' || rest === '%') return current;
    if (rest === '-') return previous ?? current;
    if (/^\d+$/.test(rest)) return this.jobs.find(({ number }) => number === Number(rest));
    const found = this.matching(rest);
    return found.length === 1 ? found[0] : undefined;
  }

  /** `%TEXT` or `%?TEXT` names several. */
  isAmbiguous(spec: string): boolean {
    return /^%[^\d%+-]/.test(spec) && this.matching(spec.slice(1)).length > 1;
  }

  private matching(name: string): Job[] {
    return this.jobs.filter(({ text }) =>
      name.startsWith('?') ? text.includes(name.slice(1)) : text.startsWith(name),
    );
  }

  findId(id: number): Job | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  statusOfGone(id: number): number | undefined {
    return this.gone.get(id);
  }

  remove(job: Job): void {
    const at = this.jobs.indexOf(job);
    if (at >= 0) this.jobs.splice(at, 1);
    if (job.status !== undefined) this.gone.set(job.id, job.status);
  }

  /** As bash finds its current job: what was stopped last, then what was started last. */
  private get ranked(): readonly Job[] {
    const rank = (job: Job): number => (job.isStopped ? job.stops : 0);
    return this.jobs.toSorted((one, other) => rank(other) - rank(one) || other.number - one.number);
  }

  /** `+` the current one, `-` the one before. */
  markOf(job: Job): string {
    const [current, previous] = this.ranked;
    if (job === current) return '+';
    return job === previous ? '-' : ' ';
  }
}

/** Counts the stops of all jobs. */
let stops = 0;

class TrackedJob implements Job {
  readonly number: number;
  readonly text: ByteText;
  readonly id: number;
  readonly ended: Promise<number>;
  status: number | undefined;
  isStopped: boolean;
  stops = 0;
  isInForeground = false;
  readonly resume?: (where: 'foreground' | 'background') => Promise<number>;
  readonly #started: StartedJob;
  readonly #onStopped: (job: Job) => void;
  #control: StoppedBash | undefined;
  /** Who brought it somewhere last hears how it ended. */
  #turn = 0;
  #resolve: (status: number) => void = () => {};

  constructor(number: number, text: ByteText, started: StartedJob, onStopped: (job: Job) => void) {
    this.number = number;
    this.text = text;
    this.id = started.id;
    this.#started = started;
    this.#onStopped = onStopped;
    this.#control = started.control;
    this.isStopped = started.running === undefined && started.control?.isRunning !== true;
    if (this.isStopped) this.stops = ++stops;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (started.control !== undefined) this.resume = (where) => this.#bring(where);
    if (started.running !== undefined) void this.#follow(started.running, 'background');
    else if (!this.isStopped) this.#goOn();
  }

  kill(signal: string): void {
    this.#started.kill(signal);
    // What is stopped hears of it when it goes on.
    if (this.isStopped && signal !== 'STOP' && signal !== 'TSTP')
      void this.resume?.('background').catch(() => undefined);
  }

  async #bring(where: 'foreground' | 'background'): Promise<number> {
    const control = this.#control;
    if (control === undefined) return await this.ended;
    this.isStopped = false;
    this.isInForeground = where === 'foreground';
    return await this.#follow(control.resume(where), where);
  }

  async #follow(end: Promise<BashEnd>, where: 'foreground' | 'background'): Promise<number> {
    const turn = ++this.#turn;
    const { status, ...rest } = await end;
    if (turn !== this.#turn) return status;
    if (rest.stopped === undefined) {
      this.status = this.#started.settle({ status, ...rest });
      this.#resolve(this.status);
      return this.status;
    }
    this.#control = rest.stopped;
    this.isStopped = rest.stopped.isRunning !== true;
    this.isInForeground = false;
    if (!this.isStopped) {
      this.#goOn();
      return status;
    }
    this.stops = ++stops;
    if (where === 'background') this.#onStopped(this);
    return status;
  }

  /** Its terminal was left: it runs on, and its end is heard of. */
  #goOn(): void {
    void this.#bring('background').catch(() => undefined);
  }
}
