/**
 * The owner of the real terminal while a process has it: raw mode, bytes both ways untouched, size changes, suspension, and the way
 * back. However it ends (end, detach, lost link, exception, signal, process.exit), the terminal is left as it was found: its
 * termios, and what the program's output switched on in it. Only SIGKILL of nsh itself leaves it raw.
 */
import { spawnSync } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { TerminalSize } from '../../src/cluster/process-stream/types.ts';
import { forgetCurrentTerminal, setCurrentTerminal } from './current-terminal.ts';
import { EndOfFileKey } from './end-of-file-key.ts';
import { ModeTracker } from './mode-tracker.ts';

export interface TerminalHandlers {
  /** What was typed. False: no more until `resumeInput`. */
  readonly onInput: (bytes: Buffer) => boolean;
  readonly onResize: (size: TerminalSize) => void;
  /** nsh was stopped and goes on: whoever draws must draw again. */
  readonly onContinue: () => void;
  /** No more can be typed: the terminal has gone, or stdin has ended. */
  readonly onInputEnd: () => void;
}

const lineFeed = 0x0a;

export class RawTerminal {
  readonly #stdin: Readable;
  readonly #stdout: Writable;
  readonly #handlers: TerminalHandlers;
  readonly #tracker = new ModeTracker();
  readonly #endOfFileKey = new EndOfFileKey();
  #isTaken = false;
  #isSuspended = false;
  #wantsInput = true;
  /** The process has drawn something. */
  #drawn = false;
  /** The last that it wrote was no line feed. */
  #inLine = false;
  #resumedAtMs = -Infinity;

  /** Either may be no terminal (a pipe, a file): then only what applies to the other is done. */
  constructor(stdin: Readable, stdout: Writable, handlers: TerminalHandlers) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#handlers = handlers;
  }

  get size(): TerminalSize | undefined {
    const stream = this.#stdout instanceof WriteStream ? this.#stdout : undefined;
    if (stream === undefined) return undefined;
    const [cols, rows] = stream.getWindowSize();
    // A terminal that says 0 does not know its size (a serial line).
    return cols > 0 && rows > 0 ? { cols, rows } : undefined;
  }

  take(): void {
    this.#isTaken = true;
    setCurrentTerminal(this);
    process.on('exit', this.#onExit);
    process.on('SIGTSTP', this.#onStop);
    process.on('SIGCONT', this.#onContinue);
    this.#stdout.on('resize', this.#onResize);
    this.#enterRaw();
    this.#stdin.on('data', this.#onData);
    this.#stdin.on('end', this.#onInputEnd);
    this.#stdin.on('close', this.#onInputEnd);
    this.#stdin.on('error', this.#onInputEnd);
    if (this.#wantsInput) this.#stdin.resume();
  }

  /** Where the process's output goes. */
  readonly sink: OutputSink = {
    write: (bytes, taken) => {
      this.#drawn = true;
      if (this.#stdout instanceof WriteStream) this.#tracker.see(bytes);
      this.#inLine = bytes.at(-1) !== lineFeed;
      this.#stdout.write(bytes, taken);
    },
  };

  /** Text of nsh itself, straight to the terminal. */
  write(text: string): void {
    this.#stdout.write(text);
  }

  resumeInput(): void {
    this.#wantsInput = true;
    if (this.#isTaken && !this.#isSuspended) this.#stdin.resume();
  }

  /**
   * Puts everything back; harmless when it is called again. `planned`: the program's end or a detach, not a failure. `endLine`: what
   * is written next shall not be glued to a line that the program has begun.
   */
  restore(planned: boolean, endLine = false): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    forgetCurrentTerminal(this);
    process.off('exit', this.#onExit);
    process.off('SIGTSTP', this.#onStop);
    process.off('SIGCONT', this.#onContinue);
    this.#stdout.off('resize', this.#onResize);
    this.#stdin.off('data', this.#onData);
    this.#stdin.off('end', this.#onInputEnd);
    this.#stdin.off('close', this.#onInputEnd);
    this.#stdin.off('error', this.#onInputEnd);
    this.#stdin.pause();
    this.#undoModes(planned);
    if (endLine) this.#endLine();
    this.#leaveRaw();
  }

  /** Puts termios back for a while, and takes no input. What the program switched on in the terminal stays. */
  suspend(): void {
    if (!this.#isTaken || this.#isSuspended) return;
    this.#isSuspended = true;
    this.#stdin.pause();
    this.#leaveRaw();
  }

  resume(): void {
    if (!this.#isTaken || !this.#isSuspended) return;
    this.#isSuspended = false;
    this.#enterRaw();
    if (this.#wantsInput) this.#stdin.resume();
    this.#handlers.onContinue();
  }

  #enterRaw(): void {
    const stdin = this.#stdin;
    if (!(stdin instanceof ReadStream)) return;
    stdin.setRawMode(true);
    // Node's raw mode leaves output processing on, which would turn the line feed of a full-screen program into CR LF. Where there
    // is no stty that stays so; the mode that libuv noted before is what is restored either way.
    spawnSync('stty', ['-opost'], { stdio: [stdin, 'ignore', 'ignore'] });
    this.#endOfFileKey.begin();
  }

  #leaveRaw(): void {
    if (this.#stdin instanceof ReadStream) this.#stdin.setRawMode(false);
  }

  #undoModes(planned: boolean): void {
    if (!(this.#stdout instanceof WriteStream) || this.#stdout.destroyed) return;
    const undo = planned || !this.#drawn ? this.#tracker.undo() : this.#tracker.undoAll();
    // A terminal is written to synchronously, so this also holds in an exit handler.
    if (undo !== '') this.#stdout.write(undo);
  }

  #endLine(): void {
    if (!this.#inLine || !(this.#stdout instanceof WriteStream) || this.#stdout.destroyed) return;
    this.#stdout.write('\r\n');
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#handlers.onInput(this.#endOfFileKey.restore(bytes))) return;
    this.#wantsInput = false;
    this.#stdin.pause();
  };

  readonly #onInputEnd = (): void => this.#handlers.onInputEnd();

  readonly #onResize = (): void => {
    const size = this.size;
    if (size !== undefined) this.#handlers.onResize(size);
  };

  readonly #onExit = (): void => this.restore(false);

  readonly #onStop = (): void => {
    this.suspend();
    // Without a handler the signal does what it does; a process that nobody could continue is not stopped by it, and goes on.
    process.off('SIGTSTP', this.#onStop);
    process.kill(process.pid, 'SIGTSTP');
    setImmediate(() => {
      if (this.#isTaken) process.on('SIGTSTP', this.#onStop);
      this.resume();
      this.#resumedAtMs = performance.now();
    });
  };

  /** Also after a SIGSTOP, which nobody sees coming: the shell may have changed the terminal meanwhile. */
  readonly #onContinue = (): void => {
    // The end of a stop of our own, which has been dealt with.
    if (performance.now() - this.#resumedAtMs < 100) return;
    this.suspend();
    this.resume();
  };
}
