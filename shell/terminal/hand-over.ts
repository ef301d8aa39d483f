/**
 * Gives the terminal to a remote process for as long as its stream lasts: what is typed goes there, what it draws comes here, its
 * size follows. Ends with the process, with the detach keys, with a signal to nsh, or with the link; the terminal is back then.
 */
import type { Readable, Writable } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import type {
  ProcessStream,
  ProcessStreamOptions,
  StreamEnd,
  TerminalSize,
} from '../../src/cluster/process-stream/types.ts';
import { progressAfterMs } from '../../src/protocol/limits.ts';
import type { ExitStatus } from '../../src/protocol/process.ts';
import { cutToWidth, escapeText } from '../escape.ts';
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import { NoticeSink } from './notice-sink.ts';
import { describeKeys, DetachKeyParser, type DetachKey } from './detach-keys.ts';
import { RawTerminal } from './raw-terminal.ts';

/**
 * A line's process gets what is typed only so long after it was started: most have ended by then, and what was typed ahead is for the next. What
 * reaches a terminal in the very moment in which its last process ends is lost, and Ctrl-Z reaches nobody before the job has the terminal.
 */
const holdInputMs = 40;
/** A job that is called back says when it is about to have the terminal; then it takes so long, */
const readyMs = 10;
/** and no longer than this. */
const maxReadyMs = 2_000;

export interface HandOverOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly detachKeys: readonly DetachKey[];
  /** Nothing that is typed reaches the process, only the detach keys are looked for; its size stays. */
  readonly readOnly: boolean;
  /** What is said when the connection is lost: `web1`. */
  readonly nodeName: string;
  /** Opens the stream; the parts given here belong into its options. */
  readonly open: (parts: StreamParts) => ProcessStream | Promise<ProcessStream>;
  /** Where stdin is no terminal and ends: true passes the end on to the process. */
  readonly passInputEnd: boolean;
  /** nsh says how the process ended, on a line of its own; else its output stands alone, as under ssh. */
  readonly tellsEnd: boolean;
  /** Fires on a signal to nsh. */
  readonly signal: AbortSignal;
  /**
   * The process runs under a job-control leader (session/leader.ts), whose notices carry this token: Ctrl-Z gives the terminal back, and so do
   * the detach keys, with the stream still open.
   */
  readonly stopToken?: string;
  /** Its job is called back to the terminal, and says so: until then it gets nothing of what is typed. */
  readonly isCalledBack?: boolean;
  /** What reaches the process of what is typed. */
  readonly onTyped?: (bytes: Buffer) => void;
  /** Fires when the keyboard goes to another stage of the pipeline: the stream stays open. */
  readonly release?: AbortSignal;
}

export type StreamParts = Required<Pick<ProcessStreamOptions, 'stdout' | 'onLost' | 'onOpened'>> &
  Pick<ProcessStreamOptions, 'size'> & {
    /** Makes a full-screen program draw anew. */
    readonly nudge: () => void;
  };

export type HandOverEnd = StreamEnd | { readonly kind: 'signal'; readonly name: string };

/** A job has stopped, or the detach keys were typed; its stream stays open, and can be handed over again. */
export type Interrupted = { readonly kind: 'stopped'; readonly status: number } | { readonly kind: 'left' };

/** The terminal was asked back; the stream stays open. */
export interface Released {
  readonly kind: 'released';
}

export type JobEnd = HandOverEnd | Interrupted | Released;

/** @throws NshError what the stream's `ended` rejects with. The terminal is back in every case. */
export async function handOver(options: Omit<HandOverOptions, 'stopToken' | 'release'>): Promise<HandOverEnd> {
  const end = await handOverJob(options);
  if (end.kind === 'stopped' || end.kind === 'left' || end.kind === 'released')
    throw new Error('a job has stopped that nobody watches');
  return end;
}

/** The same for what runs under a job-control leader. */
export async function handOverJob(options: HandOverOptions): Promise<JobEnd> {
  const session = new HandOver(options);
  try {
    return await session.run();
  } finally {
    session.giveBack();
  }
}

class HandOver {
  readonly #options: HandOverOptions;
  readonly #terminal: RawTerminal;
  readonly #keys: DetachKeyParser;
  #stream: ProcessStream | undefined;
  /** Typed before there was a stream, or while it is too early. */
  #early: Buffer[] = [];
  #hold: NodeJS.Timeout | undefined;
  #isReady = false;
  #planned = false;
  /** What nsh says next begins on a line of its own. */
  #endsLine = true;
  #notice: NodeJS.Timeout | undefined;
  #noticeShown = false;
  #leave: ((end: JobEnd) => void) | undefined;
  #inputEnded = false;
  #notices: NoticeSink | undefined;
  readonly #onDrain = (): void => this.#terminal.resumeInput();

  constructor(options: HandOverOptions) {
    this.#options = options;
    this.#keys = new DetachKeyParser(options.stdin instanceof ReadStream ? options.detachKeys : []);
    this.#terminal = new RawTerminal(options.stdin, options.stdout, {
      onInput: (bytes) => this.#typed(bytes),
      onResize: (size) => this.#resized(size),
      onContinue: () => this.#nudge(),
      onInputEnd: () => this.#ended(),
    });
  }

  async run(): Promise<JobEnd> {
    const { signal, release } = this.#options;
    const left = new Promise<JobEnd>((resolve) => {
      this.#leave = resolve;
      const stop = (): void => resolve({ kind: 'signal', name: signalOf(signal) });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      const letGo = (): void => resolve({ kind: 'released' });
      if (release?.aborted === true) letGo();
      else release?.addEventListener('abort', letGo, { once: true });
    });
    this.#terminal.take();
    const size = this.#options.readOnly ? undefined : this.#terminal.size;
    const opening = Promise.resolve(
      this.#options.open({
        stdout: this.#sink(),
        onLost: () => this.#lost(),
        onOpened: () => this.#opened(),
        nudge: () => this.#nudge(),
        ...(size === undefined ? {} : { size }),
      }),
    );
    const stream = await Promise.race([opening, left]);
    if (!('ended' in stream)) {
      // Nobody waits for the stream any more: it is left as soon as it is there.
      opening.then(
        (late) => {
          if (stream.kind !== 'left') late.detach(stream.kind === 'signal');
        },
        () => {},
      );
      return stream;
    }
    this.#connect(stream);
    const end = await Promise.race([stream.ended, left]);
    if (end.kind === 'signal' || end.kind === 'detached') stream.detach(end.kind === 'signal');
    this.#planned = end.kind !== 'signal';
    this.#detachInput();
    const isQuiet = end.kind === 'released' || (end.kind === 'exit' && !isUnusual(end.status));
    this.#endsLine = !isQuiet || this.#options.tellsEnd;
    return end;
  }

  /** What the leader says is for nsh, the rest for the terminal. */
  #sink(): OutputSink {
    const { stopToken } = this.#options;
    const { sink } = this.#terminal;
    if (stopToken === undefined) return sink;
    const onStopped = (status: number): void => this.#leave?.({ kind: 'stopped', status });
    this.#notices = new NoticeSink(stopToken, sink, onStopped, () => this.#ready());
    return this.#notices;
  }

  giveBack(): void {
    this.#notices?.flush();
    clearTimeout(this.#notice);
    this.#hideNotice();
    this.#terminal.restore(this.#planned, this.#endsLine);
    clearTimeout(this.#hold);
    const unsent = Buffer.concat(this.#early.splice(0));
    if (this.#options.stopToken !== undefined && unsent.length > 0) this.#options.stdin.unshift(unsent);
  }

  #connect(stream: ProcessStream): void {
    this.#stream = stream;
    stream.stdin.on('drain', this.#onDrain);
    const { stopToken, isCalledBack } = this.#options;
    if (stopToken === undefined) this.#sendEarly();
    else this.#holdFor(isCalledBack === true ? (this.#isReady ? readyMs : maxReadyMs) : holdInputMs);
    if (this.#inputEnded) this.#ended();
    this.#terminal.resumeInput();
  }

  #ready(): void {
    this.#isReady = true;
    if (this.#hold !== undefined) this.#holdFor(readyMs);
  }

  #holdFor(ms: number): void {
    clearTimeout(this.#hold);
    this.#hold = setTimeout(() => this.#sendEarly(), ms);
  }

  #sendEarly(): void {
    clearTimeout(this.#hold);
    this.#hold = undefined;
    for (const bytes of this.#early.splice(0)) {
      this.#options.onTyped?.(bytes);
      this.#stream?.stdin.write(bytes);
    }
  }

  /** A stream that outlives this may be handed over again. */
  #detachInput(): void {
    this.#stream?.stdin.off('drain', this.#onDrain);
  }

  #typed(bytes: Buffer): boolean {
    const { pass, detached } = this.#keys.feed(bytes);
    let room = true;
    if (pass.length > 0 && !this.#options.readOnly) {
      room = this.#send(pass);
    }
    if (detached) this.#leave?.({ kind: this.#options.stopToken === undefined ? 'detached' : 'left' });
    return room;
  }

  #send(bytes: Buffer): boolean {
    if (this.#stream === undefined || this.#hold !== undefined) {
      this.#early.push(bytes);
      return true;
    }
    this.#options.onTyped?.(bytes);
    return this.#stream.stdin.write(bytes);
  }

  #ended(): void {
    this.#inputEnded = true;
    // A terminal that ends has been hung up.
    if (this.#options.stdin instanceof ReadStream) this.#leave?.({ kind: 'signal', name: 'SIGHUP' });
    else if (this.#options.passInputEnd && this.#stream?.stdin.writableEnded === false) this.#stream.stdin.end();
  }

  #resized(size: TerminalSize): void {
    if (!this.#options.readOnly) this.#stream?.resize(size);
  }

  #nudge(): void {
    const size = this.#terminal.size;
    if (size === undefined || this.#options.readOnly) return;
    if (size.rows > 1) this.#stream?.resize({ cols: size.cols, rows: size.rows - 1 });
    this.#stream?.resize(size);
  }

  #lost(): void {
    this.#notice ??= setTimeout(() => this.#showNotice(), progressAfterMs);
  }

  #opened(): void {
    clearTimeout(this.#notice);
    this.#notice = undefined;
    if (this.#hideNotice()) this.#nudge();
  }

  /** Whether there was one. */
  #hideNotice(): boolean {
    if (!this.#noticeShown) return false;
    this.#noticeShown = false;
    this.#terminal.write(onLastRow(this.#terminal.size, ''));
    return true;
  }

  /** On the last row, beside whatever the program has drawn; it draws anew when the connection is back. */
  #showNotice(): void {
    if (!(this.#options.stdout instanceof WriteStream)) return;
    this.#noticeShown = true;
    const { nodeName, detachKeys, stdin } = this.#options;
    const leaves = stdin instanceof ReadStream && detachKeys.length > 0 ? `; ${describeKeys(detachKeys)} leaves` : '';
    const text = `[nsh: connection to ${escapeText(nodeName)} lost, connecting again${leaves}]`;
    const { size } = this.#terminal;
    this.#terminal.write(onLastRow(size, `\u001b[7m${cutToWidth(text, size?.cols ?? 80)}\u001b[m`));
  }
}

/** Whether nsh has something to say of such an end in any case. */
function isUnusual({ code, signal, timedOutMs }: ExitStatus): boolean {
  return timedOutMs !== undefined || (code === null && signal === null);
}

function onLastRow(size: TerminalSize | undefined, text: string): string {
  return `\u001b7\u001b[${size?.rows ?? 24};1H\u001b[K${text}\u001b8`;
}

/** Which signal made the command's AbortSignal fire. */
export function signalOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  const data =
    reason instanceof Error && 'data' in reason ? (reason.data as Record<string, unknown> | undefined) : undefined;
  return typeof data?.['signal'] === 'string' ? data['signal'] : 'SIGINT';
}
