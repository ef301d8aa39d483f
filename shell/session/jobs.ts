/** The jobs of a session: what it started with `&`, and what was stopped. Numbers and marks are bash's. */
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
  stops: number;
  /** It has the terminal: its end is no news. */
  isInForeground: boolean;
  kill(signal: string): void;
  /** Absent where it cannot be brought to the terminal. @returns its status; it may have stopped again. */
  readonly resume?: (where: 'foreground' | 'background') => Promise<number>;
}

/** What a stopped job brings along. */
export interface StoppedJob {
  readonly id: number;
  readonly stopped: StoppedBash;
  kill(signal: string): void;
  /** It has ended: takes over what it left. @returns its status. */
  settle(end: BashEnd): number;
}

export interface StartedJob {
  readonly id: number;
  readonly ended: Promise<number>;
  kill(signal: string): void;
}

export class JobTable {
  private readonly jobs: Job[] = [];
  private stops = 0;
  /** Statuses of jobs that have left the table, for a later `wait PID`. */
  private readonly gone = new Map<number, number>();
  /** `$!`: stays when its job has gone. */
  lastId: number | undefined;
  /** Told of a job that has stopped in the background. */
  onStopped: ((job: Job) => void) | undefined;

  add(text: ByteText, started: StartedJob): Job {
    const number = (this.jobs.at(-1)?.number ?? 0) + 1;
    const job: Job = {
      number,
      text,
      id: started.id,
      status: undefined,
      isStopped: false,
      stops: 0,
      isInForeground: false,
      kill: (signal) => {
        started.kill(signal);
      },
      ended: started.ended.then((status) => {
        job.status = status;
        return status;
      }),
    };
    this.jobs.push(job);
    this.lastId = job.id;
    return job;
  }

  /** A foreground step was stopped. */
  addStopped(text: ByteText, started: StoppedJob): Job {
    const number = (this.jobs.at(-1)?.number ?? 0) + 1;
    let { stopped } = started;
    let resolve: (status: number) => void = () => {};
    const ended = new Promise<number>((settled) => {
      resolve = settled;
    });
    const job: Job = {
      number,
      text,
      id: started.id,
      status: undefined,
      isStopped: stopped.isRunning !== true,
      stops: ++this.stops,
      isInForeground: false,
      ended,
      kill: (signal) => {
        started.kill(signal);
        // What is stopped hears of it when it goes on.
        if (job.isStopped && signal !== 'STOP' && signal !== 'TSTP')
          void job.resume?.('background').catch(() => undefined);
      },
      resume: async (where) => {
        job.isStopped = false;
        job.isInForeground = where === 'foreground';
        const end = await stopped.resume(where);
        if (end.stopped !== undefined) {
          stopped = end.stopped;
          job.isStopped = stopped.isRunning !== true;
          job.stops = ++this.stops;
          job.isInForeground = false;
          if (stopped.isRunning === true) void job.resume?.('background').catch(() => undefined);
          else if (where === 'background') this.onStopped?.(job);
          return end.status;
        }
        job.status = started.settle(end);
        resolve(job.status);
        return job.status;
      },
    };
    this.jobs.push(job);
    if (stopped.isRunning === true) void job.resume?.('background').catch(() => undefined);
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
    return this.jobs.toSorted((a, b) => rank(b) - rank(a) || b.number - a.number);
  }

  /** `+` the current one, `-` the one before. */
  markOf(job: Job): string {
    const [current, previous] = this.ranked;
    if (job === current) return '+';
    return job === previous ? '-' : ' ';
  }
}
