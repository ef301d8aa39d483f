/**
 * A foreground step on the person's terminal, as often as it takes: handed over, stopped by Ctrl-Z, continued there or in the background,
 * taken back. One stream to one managed process all the while, so that its end, its status and what it left are never missed.
 */
import type { ProcessStream } from '../../src/cluster/process-stream/types.ts';
import { findSignal } from '../../src/ids/signals.ts';
import type { BashEnd, RunningBash } from '../session/runner.ts';
import { handOverJob, type HandOverEnd, type HandOverOptions, type StreamParts } from '../terminal/hand-over.ts';
import { StopNotice } from '../terminal/stop-notice.ts';

export interface TerminalStepOptions {
  readonly gpid: number;
  readonly token: string;
  /** All of a hand-over but what belongs to the step itself. */
  readonly handOver: () => Omit<HandOverOptions, 'open' | 'stopToken'>;
  /** The stream, opened once. */
  readonly open: (parts: Omit<StreamParts, 'nudge'>) => ProcessStream;
  readonly toEnd: (end: HandOverEnd) => BashEnd;
  /** What made the stream fail, as an end. */
  readonly toFailure: (error: unknown) => BashEnd;
  /** Output of a step that runs in the background. */
  readonly background: (bytes: Buffer) => void;
}

export class TerminalStep {
  readonly #options: TerminalStepOptions;
  #stream: ProcessStream | undefined;
  /** Where its output goes while it has the terminal. */
  #parts: StreamParts | undefined;
  #notice: StopNotice;
  #onStopped: ((status: number) => void) | undefined;
  #isInBackground = false;

  constructor(options: TerminalStepOptions) {
    this.#options = options;
    this.#notice = new StopNotice(options.token);
  }

  start(): RunningBash {
    return {
      pid: this.#options.gpid,
      ended: this.#take(),
      kill: (name) => this.#signal(name, this.#parts !== undefined),
    };
  }

  /** The shell ends; the step stays what it is, stopped or running. */
  leave(): void {
    this.#stream?.detach(false);
  }

  /** Gives it the terminal until it ends, is left, or stops. @param isCalledBack it stops once more, to be taken from the background. */
  async #take(isCalledBack = false): Promise<BashEnd> {
    const { handOver, toEnd, toFailure, token } = this.#options;
    try {
      const end = await handOverJob({
        ...handOver(),
        stopToken: token,
        open: (parts) => this.#open(parts, isCalledBack),
      });
      this.#parts = undefined;
      if (end.kind !== 'stopped') return toEnd(end);
      if (!isCalledBack) return this.#stopped(end.status);
      this.#signalLeader('CONT');
      return await this.#take();
    } catch (error) {
      this.#parts = undefined;
      return toFailure(error);
    }
  }

  #open(parts: StreamParts, isCalledBack: boolean): ProcessStream {
    const { nudge: _nudge, ...rest } = parts;
    this.#parts = parts;
    if (this.#stream !== undefined) {
      if (rest.size !== undefined) this.#stream.resize(rest.size);
      if (isCalledBack) this.#signalLeader('USR2');
      return this.#stream;
    }
    this.#stream = this.#options.open({
      ...rest,
      stdout: { write: (bytes, taken) => this.#write(bytes, taken) },
      onLost: (error, attempt) => this.#parts?.onLost(error, attempt),
      onOpened: (opened, again) => this.#parts?.onOpened(opened, again),
    });
    return this.#stream;
  }

  #write(bytes: Buffer, taken: (error?: Error | null) => void): void {
    if (this.#parts !== undefined) {
      this.#parts.stdout.write(bytes, taken);
      return;
    }
    const { output, stopped } = this.#notice.push(bytes);
    if (output.length > 0) this.#options.background(output);
    if (stopped !== undefined) this.#onStopped?.(stopped);
    taken();
  }

  #stopped(status: number): BashEnd {
    return { status, report: '', stopped: { resume: (where) => this.#resume(where) } };
  }

  #resume(where: 'foreground' | 'background'): Promise<BashEnd> {
    const wasInBackground = this.#isInBackground;
    this.#isInBackground = where === 'background';
    if (where === 'background') return this.#runInBackground();
    if (!wasInBackground) this.#signalLeader('CONT');
    return this.#take(wasInBackground);
  }

  async #runInBackground(): Promise<BashEnd> {
    const { toEnd, toFailure } = this.#options;
    const stopped = new Promise<BashEnd>((resolve) => {
      this.#onStopped = (status) => resolve(this.#stopped(status));
    });
    this.#signalLeader('USR1');
    this.#signalLeader('CONT');
    const ended = this.#stream?.ended.then(toEnd, toFailure);
    const first = await (ended === undefined ? stopped : Promise.race([stopped, ended]));
    if (first.stopped !== undefined) this.#isInBackground = false;
    return first;
  }

  /** To the leader's own group; what it runs is in another one. */
  #signalLeader(name: string): void {
    this.#signal(name, false);
  }

  #signal(name: string, isForeground: boolean): void {
    this.#stream?.sendSignal(findSignal(name) ?? 0, isForeground);
  }
}
