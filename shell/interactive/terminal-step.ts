/**
 * A foreground step on the person's terminal, as often as it takes: handed over, stopped by Ctrl-Z, continued there or in the background,
 * taken back. One stream to one managed process all the while, so that its end, its status and what it left are never missed. As a stage
 * of a pipeline it shares the terminal: all are shown, and one at a time has the keyboard.
 */
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStream, ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import { findSignal } from '../../src/ids/signals.ts';
import { signalForJob } from '../session/leader.ts';
import type { BashEnd, RunningBash, StoppedBash } from '../session/runner.ts';
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
  /** What its screen shows now, for a terminal that has not seen it. Absent: whoever takes it has. */
  readonly redraw?: ((rows: number) => Promise<Buffer>) | undefined;
  /** Absent: it has the terminal alone. */
  readonly shared?: SharedTerminal;
}

/** Nobody is there any more to hear of it. */
const over: BashEnd = { status: 0, report: '' };

export class TerminalStep implements KeyboardStage {
  readonly #options: TerminalStepOptions;
  #stream: ProcessStream | undefined;
  /** Where its output goes while it is in the foreground. */
  #parts: Pick<ProcessStreamOptions, 'stdout' | 'onLost' | 'onOpened'> | undefined;
  #notice: StopNotice;
  #onStopped: ((status: number) => void) | undefined;
  /** As its leader has it. */
  #isInBackground = false;
  /** It has drawn what no terminal here has shown. */
  #isUnseen = false;
  #hasLeft = false;
  /** It has not been stopped. */
  #isRunning = false;
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

  /** @param where `left`: in the foreground of its own terminal, which nobody has taken. */
  start(where: 'foreground' | 'background' | 'left'): RunningBash {
    this.#isInBackground = where === 'background';
    this.#isUnseen = where === 'left';
    const { control } = this;
    return {
      pid: this.#options.gpid,
      ...(where === 'foreground' ? { ended: this.#inForeground() } : { ended: this.#unseen(), control }),
      kill: (name) => this.kill(name),
    };
  }

  get control(): StoppedBash {
    return { resume: (where) => this.#resume(where) };
  }

  /** The shell ends; the step stays what it is, stopped or running. */
  leave(): void {
    this.#hasLeft = true;
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
    this.#isRunning = true;
    try {
      for (;;) {
        const end = await this.#stay(isAwaited);
        if (end.kind === 'released') continue;
        if (end.kind !== 'stopped') return this.#hasLeft ? over : toEnd(end);
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
          open: async ({ nudge, ...parts }) => {
            const wasUnseen = this.#isUnseen;
            if (wasUnseen) await this.#redraw(parts);
            const stream = this.#open(parts, isCalledBack);
            // Once more by itself: programs draw anew when their size changes.
            if (wasUnseen) setImmediate(nudge);
            return stream;
          },
        })
      : this.#show(isCalledBack, change.signal);
    this.#changed = stay.catch(() => undefined);
    return await stay;
  }

  async #redraw({ stdout, size }: Omit<StreamParts, 'nudge'>): Promise<void> {
    this.#isUnseen = false;
    // Without it the program is there all the same, and most draw anew.
    const bytes = await this.#options.redraw?.(size?.rows ?? 24).catch(() => undefined);
    if (bytes !== undefined) await new Promise<void>((resolve) => stdout.write(bytes, () => resolve()));
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
    return this.#openStream(parts.size);
  }

  #openStream(size?: ProcessStreamOptions['size']): ProcessStream {
    this.#stream ??= this.#options.open({
      ...(size === undefined ? {} : { size }),
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
    this.#isInBackground = false;
    this.#isRunning = false;
    return { status, report: '', stopped: this.control };
  }

  #resume(where: 'foreground' | 'background'): Promise<BashEnd> {
    const wasInBackground = this.#isInBackground;
    this.#isInBackground = where === 'background';
    if (where === 'background') {
      this.#signalLeader('USR1');
      this.#signalLeader('CONT');
      return this.#unseen();
    }
    if (!wasInBackground) this.#signalLeader('CONT');
    return this.#inForeground(wasInBackground);
  }

  /** Until it ends or stops, seen by nobody but who reads what it prints. */
  async #unseen(): Promise<BashEnd> {
    this.#isRunning = true;
    const { toEnd, toFailure } = this.#options;
    const stopped = new Promise<BashEnd>((resolve) => {
      this.#onStopped = (status) => resolve(this.#stopped(status));
    });
    const ended = this.#openStream().ended.then((end) => (this.#hasLeft ? over : toEnd(end)), toFailure);
    return await Promise.race([stopped, ended]);
  }

  /** Of its terminal where it is in the foreground there; else its leader passes it on. */
  kill(name: string): void {
    if (!this.#isInBackground) return this.#signal(name, this.#isRunning);
    this.#stream?.sendSignal(signalForJob(findSignal(name) ?? 0), false);
  }

  /** To the leader's own group; what it runs is in another one. */
  #signalLeader(name: string): void {
    this.#signal(name, false);
  }

  #signal(name: string, isForeground: boolean): void {
    this.#openStream().sendSignal(findSignal(name) ?? 0, isForeground);
  }
}
