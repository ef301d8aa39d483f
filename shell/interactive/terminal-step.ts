/**
 * A foreground step on the person's terminal, as often as it takes: handed over, stopped by Ctrl-Z or left by the detach keys, continued
 * there or in the background, taken back. One stream to one managed process all the while, so that its end, its status and what it left
 * are never missed. As a stage of a pipeline it shares the terminal: all are shown, and one at a time has the keyboard.
 *
 *   shown      it has the person's terminal, with the keyboard or without
 *   left       detached from: it runs on, on a terminal that nobody looks at
 *   stopped    the leader waits
 *   background continued there: it does not have its own terminal
 */
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStream, ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import { findSignal } from '../../src/ids/signals.ts';
import { jobSignal } from '../session/leader.ts';
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
import { CatchUp, type ScreenAt } from './catch-up.ts';
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
  /** What its terminal shows, to be drawn before what follows. */
  readonly screen: () => Promise<ScreenAt>;
  readonly toEnd: (end: HandOverEnd) => BashEnd;
  /** What made the stream fail, as an end. */
  readonly toFailure: (error: unknown) => BashEnd;
  /** Told when its terminal was left; it goes on. */
  readonly onLeft: () => void;
  /** It was another shell's: its stream begins with what is new. */
  readonly isOld?: boolean;
  /** Output of a step that runs in the background. */
  readonly background: (bytes: Buffer) => void;
  /** Absent: it has the terminal alone. */
  readonly shared?: SharedTerminal;
}

/** Nobody is there any more to hear of it. */
const over: BashEnd = { status: 0, report: '' };

type Mode = 'shown' | 'left' | 'stopped' | 'background';

/** Of a stay in the foreground that cannot draw anew. */
const noNudge = (): void => undefined;

export class TerminalStep implements KeyboardStage {
  readonly #options: TerminalStepOptions;
  #stream: ProcessStream | undefined;
  /** Where its output goes while it is in the foreground. */
  #parts: Pick<ProcessStreamOptions, 'stdout' | 'onLost' | 'onOpened'> | undefined;
  #notice: StopNotice;
  #mode: Mode = 'shown';
  #hasGone = false;
  /** What it has drawn until now no terminal here has shown. */
  #isUnseen: boolean;
  #onStopped: ((status: number) => void) | undefined;
  /** Counts who waits for its end: it is told to the last one only. */
  #waits = 0;
  readonly #output = new CatchUp();
  #hasKeyboard: boolean;
  /** Ends the present stay in the foreground, for another with the keyboard or without. */
  #change: AbortController | undefined;
  #changed: Promise<unknown> = Promise.resolve();
  #membership: ReturnType<PipelineKeyboard['join']> | undefined;

  constructor(options: TerminalStepOptions) {
    this.#options = options;
    this.#notice = new StopNotice(options.token);
    this.#hasKeyboard = options.shared === undefined;
    this.#isUnseen = options.isOld === true;
  }

  /** @param where `left`: in the foreground of its own terminal, which nobody has taken. */
  start(where: 'foreground' | 'background' | 'left'): RunningBash {
    const common = { pid: this.#options.gpid, reportsStop: true, kill: (name: string): void => this.kill(name) };
    if (where === 'foreground') return { ...common, ended: this.#inForeground('begin') };
    this.#mode = where;
    return { ...common, ended: this.#wait(), control: this.control };
  }

  /** It was found stopped. */
  found(): void {
    this.#mode = 'stopped';
  }

  get control(): StoppedBash {
    return { resume: (where) => this.#resume(where) };
  }

  /** Typed for it, and not known to have reached it. */
  get untaken(): Buffer {
    return this.#stream?.untaken ?? Buffer.alloc(0);
  }

  /** The shell ends; the step stays what it is, stopped or running. */
  leave(): void {
    this.#hasGone = true;
    this.#stream?.detach(false);
  }

  async setKeyboard(has: boolean): Promise<void> {
    if (this.#hasKeyboard === has) return;
    this.#hasKeyboard = has;
    this.#change?.abort();
    await this.#changed;
  }

  /** Until it ends, is left, or stops. @param from what it comes from. */
  async #inForeground(from: 'begin' | Mode): Promise<BashEnd> {
    const { toEnd, toFailure, shared } = this.#options;
    this.#waits++;
    this.#mode = 'shown';
    this.#membership = shared?.keyboard.join(this, shared.member);
    let before = from;
    try {
      for (;;) {
        const end = await this.#stay(before);
        before = 'shown';
        if (end.kind === 'released') continue;
        if (end.kind === 'left') return this.#left();
        if (end.kind === 'stopped') return this.#stopped(end.status);
        return this.#hasGone ? over : toEnd(end);
      }
    } catch (error) {
      return toFailure(error);
    } finally {
      this.#parts = undefined;
      this.#membership?.leave();
    }
  }

  /** Once in the foreground, with the keyboard or without. */
  async #stay(from: 'begin' | Mode): Promise<JobEnd> {
    const change = new AbortController();
    this.#change = change;
    const { handOver, token } = this.#options;
    const stay = this.#hasKeyboard
      ? handOverJob({
          ...handOver(),
          stopToken: token,
          isCalledBack: from === 'stopped' || from === 'background',
          release: change.signal,
          open: (parts) => this.#open(parts, from),
        })
      : this.#show(from, change.signal);
    this.#changed = stay.catch(() => undefined);
    return await stay;
  }

  /** Its output on the terminal, its notices heeded; what is typed goes elsewhere. */
  async #show(from: 'begin' | Mode, changes: AbortSignal): Promise<JobEnd> {
    const left = new Promise<JobEnd>((resolve) => {
      this.#onStopped = (status) => resolve({ kind: 'stopped', status });
      if (changes.aborted) resolve({ kind: 'released' });
      changes.addEventListener('abort', () => resolve({ kind: 'released' }), { once: true });
    });
    const { token } = this.#options;
    const sink = new NoticeSink(token, this.#screen, (status) => this.#onStopped?.(status));
    const parts = { stdout: sink, onLost: () => undefined, onOpened: () => undefined, nudge: noNudge };
    const stream = await this.#open(parts, from);
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

  async #open({ nudge, ...parts }: StreamParts, from: 'begin' | Mode): Promise<ProcessStream> {
    const stream = from === 'begin' ? this.#stream : this.#openStream();
    if (stream === undefined) {
      this.#parts = parts;
      return this.#openStream(parts.size);
    }
    if (from === 'left' || this.#isUnseen) {
      this.#isUnseen = false;
      // What came meanwhile was for nobody: its screen, and from there on what follows.
      const own = this.#waits;
      const drawn = await this.#output.catchUp(this.#options.screen, parts.size);
      if (own !== this.#waits || this.#mode !== 'shown') return stream;
      parts.stdout.write(drawn, () => undefined);
    }
    this.#parts = parts;
    if (parts.size !== undefined) stream.resize(parts.size);
    if (from === 'left') nudge();
    if (from === 'stopped') this.#signalLeader('CONT');
    if (from === 'background') this.#signalLeader('USR2');
    return stream;
  }

  #openStream(size?: ProcessStreamOptions['size']): ProcessStream {
    this.#stream ??= this.#options.open({
      ...(size === undefined ? {} : { size }),
      stdout: { write: (bytes, taken) => this.#write(bytes, taken) },
      onLost: (error, attempt) => this.#parts?.onLost?.(error, attempt),
      onOpened: (opened, again) => {
        if (this.#options.isOld === true && !again) this.#output.beginAt(opened.stdout.end);
        this.#parts?.onOpened?.(opened, again);
      },
    });
    return this.#stream;
  }

  #write(bytes: Buffer, taken: (error?: Error | null) => void): void {
    const fresh = this.#output.pass(bytes);
    const sink = this.#parts?.stdout;
    if (sink !== undefined) {
      sink.write(fresh, taken);
      return;
    }
    const { output, stopped } = this.#notice.push(fresh);
    if (output.length > 0 && this.#mode === 'background') this.#options.background(output);
    if (stopped !== undefined) this.#onStopped?.(stopped);
    taken();
  }

  #left(): BashEnd {
    this.#mode = 'left';
    this.#notice = new StopNotice(this.#options.token);
    this.#options.onLeft();
    return { status: 0, report: '', stopped: { isRunning: true, resume: (where) => this.#resume(where) } };
  }

  #stopped(status: number): BashEnd {
    this.#mode = 'stopped';
    this.#notice = new StopNotice(this.#options.token);
    return { status, report: '', stopped: { resume: (where) => this.#resume(where) } };
  }

  async #resume(where: 'foreground' | 'background'): Promise<BashEnd> {
    const mode = this.#mode;
    if (where === 'foreground') return await this.#inForeground(mode);
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
      this.#openStream().ended.then(
        (end) => settle(() => (this.#hasGone ? over : toEnd(end))),
        (error: unknown) => settle(() => toFailure(error)),
      );
    });
  }

  kill(name: string): void {
    const number = findSignal(name) ?? 0;
    // What has its terminal is the group in the terminal's foreground; else only the leader knows where the job is.
    if (this.#mode === 'shown' || this.#mode === 'left') this.#openStream().sendSignal(number, true);
    else this.#openStream().sendSignal(jobSignal(number), false);
  }

  /** To the leader's own group; what it runs is in another one. */
  #signalLeader(name: string): void {
    this.#openStream().sendSignal(findSignal(name) ?? 0, false);
  }
}
