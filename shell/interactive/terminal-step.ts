/**
 * A foreground step on the person's terminal, as often as it takes: handed over, stopped by Ctrl-Z or left by the detach keys, continued
 * there or in the background, taken back. One stream to one managed process all the while, so that its end, its status and what it left
 * are never missed.
 *
 *   shown      it has the person's terminal
 *   left       detached from: it runs on, on a terminal that nobody looks at
 *   stopped    the leader waits
 *   background continued there: it does not have its terminal
 */
import type { ProcessStream } from '../../src/cluster/process-stream/types.ts';
import { findSignal } from '../../src/ids/signals.ts';
import { calledBack, jobSignal } from '../session/leader.ts';
import type { BashEnd, RunningBash } from '../session/runner.ts';
import { handOverJob, type HandOverEnd, type HandOverOptions, type StreamParts } from '../terminal/hand-over.ts';
import { StopNotice } from '../terminal/stop-notice.ts';
import { CatchUp, type ScreenAt } from './catch-up.ts';

export interface TerminalStepOptions {
  readonly gpid: number;
  readonly token: string;
  /** All of a hand-over but what belongs to the step itself. */
  readonly handOver: () => Omit<HandOverOptions, 'open' | 'stopToken'>;
  /** The stream, opened once. */
  readonly open: (parts: Omit<StreamParts, 'nudge'>) => ProcessStream;
  /** What its terminal shows, to be drawn before what follows. */
  readonly screen: () => Promise<ScreenAt>;
  readonly toEnd: (end: HandOverEnd) => BashEnd;
  /** What made the stream fail, as an end. */
  readonly toFailure: (error: unknown) => BashEnd;
  /** Told when its terminal was left; it goes on. */
  readonly onLeft: () => void;
  /** Output of a step that runs in the background. */
  readonly background: (bytes: Buffer) => void;
}

type Mode = 'shown' | 'left' | 'stopped' | 'background';

export class TerminalStep {
  readonly #options: TerminalStepOptions;
  #stream: ProcessStream | undefined;
  /** Where its output goes while it has the terminal. */
  #parts: StreamParts | undefined;
  #notice: StopNotice;
  #mode: Mode = 'shown';
  #onStopped: ((status: number) => void) | undefined;
  /** Counts who waits for its end: it is told to the last one only. */
  #waits = 0;
  readonly #output = new CatchUp();

  constructor(options: TerminalStepOptions) {
    this.#options = options;
    this.#notice = new StopNotice(options.token);
  }

  start(): RunningBash {
    return { pid: this.#options.gpid, ended: this.#take('begin'), kill: (name) => this.#signalJob(name) };
  }

  /** Typed for it, and not known to have reached it. */
  get untaken(): Buffer {
    return this.#stream?.untaken ?? Buffer.alloc(0);
  }

  /** The shell ends; the step stays what it is, stopped or running. */
  leave(): void {
    this.#stream?.detach(false);
  }

  /** Gives it the terminal until it ends, is left, or stops. */
  async #take(from: 'begin' | Mode): Promise<BashEnd> {
    const { handOver, toEnd, toFailure, onLeft, token } = this.#options;
    this.#waits++;
    this.#mode = 'shown';
    try {
      const end = await handOverJob({ ...handOver(), stopToken: token, open: (parts) => this.#open(parts, from) });
      this.#parts = undefined;
      if (end.kind === 'stopped') {
        if (end.status !== calledBack) return this.#stopped(end.status);
        this.#signalLeader('CONT');
        return await this.#take('stopped');
      }
      if (end.kind !== 'left') return toEnd(end);
      this.#mode = 'left';
      this.#notice = new StopNotice(token);
      onLeft();
      return { status: 0, report: '', stopped: { isRunning: true, resume: (where) => this.#resume(where) } };
    } catch (error) {
      this.#parts = undefined;
      return toFailure(error);
    }
  }

  async #open(parts: StreamParts, from: 'begin' | Mode): Promise<ProcessStream> {
    const { nudge, ...rest } = parts;
    const stream = this.#stream;
    if (stream === undefined) {
      this.#parts = parts;
      this.#stream = this.#options.open({
        ...rest,
        stdout: { write: (bytes, taken) => this.#write(bytes, taken) },
        onLost: (error, attempt) => this.#parts?.onLost(error, attempt),
        onOpened: (opened, again) => this.#parts?.onOpened(opened, again),
      });
      return this.#stream;
    }
    if (from === 'left') {
      // What came meanwhile was for nobody: its screen, and from there on what follows.
      const own = this.#waits;
      const drawn = await this.#output.catchUp(this.#options.screen, rest.size);
      if (own !== this.#waits || this.#mode !== 'shown') return stream;
      parts.stdout.write(drawn, () => undefined);
    }
    this.#parts = parts;
    if (rest.size !== undefined) stream.resize(rest.size);
    if (from === 'left') nudge();
    if (from === 'stopped') this.#signalLeader('CONT');
    if (from === 'background') this.#signalLeader('USR2');
    return stream;
  }

  #write(bytes: Buffer, taken: (error?: Error | null) => void): void {
    const fresh = this.#output.pass(bytes);
    if (this.#parts !== undefined) {
      this.#parts.stdout.write(fresh, taken);
      return;
    }
    const { output, stopped } = this.#notice.push(fresh);
    if (output.length > 0 && this.#mode === 'background') this.#options.background(output);
    if (stopped !== undefined) this.#onStopped?.(stopped);
    taken();
  }

  #stopped(status: number): BashEnd {
    this.#mode = 'stopped';
    this.#notice = new StopNotice(this.#options.token);
    return { status, report: '', stopped: { isRunning: false, resume: (where) => this.#resume(where) } };
  }

  async #resume(where: 'foreground' | 'background'): Promise<BashEnd> {
    const mode = this.#mode;
    if (where === 'foreground') return await this.#take(mode);
    if (mode === 'stopped') {
      this.#mode = 'background';
      this.#signalLeader('USR1');
      this.#signalLeader('CONT');
    }
    return await this.#wait();
  }

  /** Until it ends or stops; never, where somebody else has begun to wait. */
  #wait(): Promise<BashEnd> {
    const { toEnd, toFailure } = this.#options;
    const own = ++this.#waits;
    return new Promise((resolve) => {
      const settle = (make: () => BashEnd): void => {
        if (own === this.#waits) resolve(make());
      };
      this.#onStopped = (status) => settle(() => this.#stopped(status));
      this.#stream?.ended.then(
        (end) => settle(() => toEnd(end)),
        (error: unknown) => settle(() => toFailure(error)),
      );
    });
  }

  #signalJob(name: string): void {
    const number = findSignal(name) ?? 0;
    // What has its terminal is the group in the terminal's foreground; else only the leader knows where the job is.
    if (this.#mode === 'shown' || this.#mode === 'left') this.#stream?.sendSignal(number, true);
    else this.#stream?.sendSignal(jobSignal(number), false);
  }

  /** To the leader's own group; what it runs is in another one. */
  #signalLeader(name: string): void {
    this.#stream?.sendSignal(findSignal(name) ?? 0, false);
  }
}
