/**
 * A foreground step on the person's terminal, as often as it takes: handed over, stopped by Ctrl-Z, continued there or in the background,
 * taken back. One stream to one managed process all the while, so that its end, its status and what it left are never missed. As a stage
 * of a pipeline it shares the terminal: all are shown, and one at a time has the keyboard.
 */
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStream, ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import { findSignal } from '../../src/ids/signals.ts';
import type { BashEnd, RunningBash } from '../session/runner.ts';
import {
  handOverJob,
  type HandOverEnd,
  type HandOverOptions,
  type JobEnd,
  type StreamParts,
} from '../terminal/hand-over.ts';
import { NoticeSink } from '../terminal/notice-sink.ts';
import { StopNotice } from '../terminal/stop-notice.ts';
import { takesScreen, type Member } from './keyboard-policy.ts';
import type { KeyboardStage, PipelineKeyboard } from './pipeline-keyboard.ts';

/** How a step shares the terminal. */
export interface SharedTerminal {
  readonly keyboard: PipelineKeyboard;
  readonly member: Omit<Member, 'isFullScreen'>;
  /** The terminal, for a stage without the keyboard. */
  readonly screen: OutputSink;
}

export interface TerminalStepOptions {
  readonly gpid: number;
  readonly token: string;
  /** All of a hand-over but what belongs to the step itself. */
  readonly handOver: () => Omit<HandOverOptions, 'open' | 'stopToken' | 'release'>;
  /** The stream, opened once. */
  readonly open: (parts: Omit<StreamParts, 'nudge'>) => ProcessStream;
  readonly toEnd: (end: HandOverEnd) => BashEnd;
  /** What made the stream fail, as an end. */
  readonly toFailure: (error: unknown) => BashEnd;
  /** Output of a step that runs in the background. */
  readonly background: (bytes: Buffer) => void;
  /** Absent: it has the terminal alone. */
  readonly shared?: SharedTerminal;
}

export class TerminalStep implements KeyboardStage {
  readonly #options: TerminalStepOptions;
  #stream: ProcessStream | undefined;
  /** Where its output goes while it is in the foreground. */
  #parts: Pick<ProcessStreamOptions, 'stdout' | 'onLost' | 'onOpened'> | undefined;
  #notice: StopNotice;
  #onStopped: ((status: number) => void) | undefined;
  #isInBackground = false;
  #hasKeyboard: boolean;
  /** Ends the present stay in the foreground, for another with the keyboard or without. */
  #change: AbortController | undefined;
  #changed: Promise<unknown> = Promise.resolve();
  #membership: ReturnType<PipelineKeyboard['join']> | undefined;

  constructor(options: TerminalStepOptions) {
    this.#options = options;
    this.#notice = new StopNotice(options.token);
    this.#hasKeyboard = options.shared === undefined;
  }

  start(): RunningBash {
    return {
      pid: this.#options.gpid,
      ended: this.#inForeground(),
      kill: (name) => this.#signal(name, this.#parts !== undefined),
    };
  }

  /** The shell ends; the step stays what it is, stopped or running. */
  leave(): void {
    this.#stream?.detach(false);
  }

  async setKeyboard(has: boolean): Promise<void> {
    if (this.#hasKeyboard === has) return;
    this.#hasKeyboard = has;
    this.#change?.abort();
    await this.#changed;
  }

  /** Until it ends, is left, or stops. @param isCalledBack it stops once more, to be taken from the background. */
  async #inForeground(isCalledBack = false): Promise<BashEnd> {
    const { toEnd, toFailure, shared } = this.#options;
    this.#membership = shared?.keyboard.join(this, shared.member);
    let isAwaited = isCalledBack;
    try {
      for (;;) {
        const end = await this.#stay(isAwaited);
        if (end.kind === 'released') continue;
        if (end.kind !== 'stopped') return toEnd(end);
        if (!isAwaited) return this.#stopped(end.status);
        isAwaited = false;
        this.#signalLeader('CONT');
      }
    } catch (error) {
      return toFailure(error);
    } finally {
      this.#parts = undefined;
      this.#membership?.leave();
    }
  }

  /** Once in the foreground, with the keyboard or without. */
  async #stay(isCalledBack: boolean): Promise<JobEnd> {
    const change = new AbortController();
    this.#change = change;
    const { handOver, token } = this.#options;
    const stay = this.#hasKeyboard
      ? handOverJob({
          ...handOver(),
          stopToken: token,
          release: change.signal,
          open: ({ nudge: _nudge, ...parts }) => this.#open(parts, isCalledBack),
        })
      : this.#show(isCalledBack, change.signal);
    this.#changed = stay.catch(() => undefined);
    return await stay;
  }

  /** Its output on the terminal, its notices heeded; what is typed goes elsewhere. */
  async #show(isCalledBack: boolean, changes: AbortSignal): Promise<JobEnd> {
    const left = new Promise<JobEnd>((resolve) => {
      this.#onStopped = (status) => resolve({ kind: 'stopped', status });
      if (changes.aborted) resolve({ kind: 'released' });
      changes.addEventListener('abort', () => resolve({ kind: 'released' }), { once: true });
    });
    const { token } = this.#options;
    const sink = new NoticeSink(token, this.#screen, (status) => this.#onStopped?.(status));
    const stream = this.#open({ stdout: sink, onLost: () => undefined, onOpened: () => undefined }, isCalledBack);
    const end = await Promise.race([stream.ended, left]);
    sink.flush();
    return end;
  }

  /** The terminal, for as long as others have the keyboard. */
  get #screen(): OutputSink {
    return {
      write: (bytes, taken) => {
        if (takesScreen(bytes)) this.#membership?.tookScreen();
        this.#options.shared?.screen.write(bytes, taken);
      },
    };
  }

  #open(parts: Omit<StreamParts, 'nudge'>, isCalledBack: boolean): ProcessStream {
    this.#parts = parts;
    if (this.#stream !== undefined) {
      if (parts.size !== undefined) this.#stream.resize(parts.size);
      if (isCalledBack) this.#signalLeader('USR2');
      return this.#stream;
    }
    this.#stream = this.#options.open({
      ...parts,
      stdout: { write: (bytes, taken) => this.#write(bytes, taken) },
      onLost: (error, attempt) => this.#parts?.onLost?.(error, attempt),
      onOpened: (opened, again) => this.#parts?.onOpened?.(opened, again),
    });
    return this.#stream;
  }

  #write(bytes: Buffer, taken: (error?: Error | null) => void): void {
    const sink = this.#parts?.stdout;
    if (sink !== undefined) {
      sink.write(bytes, taken);
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
    return this.#inForeground(wasInBackground);
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
