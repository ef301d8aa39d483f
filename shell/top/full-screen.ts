/**
 * The terminal while `top` has it: raw, on the alternate screen, so that what was there before comes back. However it ends, by a signal
 * or a failure too, it is put back. Keys come from here; the frame is drawn by Ink.
 */
import { ReadStream, type WriteStream } from 'node:tty';
import { InkScreen, type Frame } from '../interactive/ink-screen.ts';
import { KeyReader } from './keys.ts';

export interface ScreenHandlers {
  readonly onKeys: (keys: readonly string[]) => void;
  /** The window has changed, or the program goes on after a stop. */
  readonly onRedraw: () => void;
  /** The terminal has gone. */
  readonly onEnd: () => void;
}

const enter = '\u001b[?1049h\u001b[2J\u001b[H';
const leave = '\u001b[?1049l\u001b[?25h';
const clear = '\u001b[2J\u001b[H';
/** An escape with nothing behind it for so long is the key. */
const escapeMs = 40;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class FullScreen {
  readonly #stdin: ReadStream;
  readonly #stdout: WriteStream;
  readonly #handlers: ScreenHandlers;
  readonly #ink: InkScreen;
  #keys = new KeyReader();
  #escape: NodeJS.Timeout | undefined;
  #isTaken = false;

  private constructor(stdin: ReadStream, stdout: WriteStream, ink: InkScreen, handlers: ScreenHandlers) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#ink = ink;
    this.#handlers = handlers;
  }

  static async open(stdin: ReadStream, stdout: WriteStream, handlers: ScreenHandlers): Promise<FullScreen> {
    const screen = new FullScreen(stdin, stdout, await InkScreen.open(stdout), handlers);
    screen.take();
    return screen;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#stdout;
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  take(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    process.on('exit', this.#giveBackAtExit);
    // Ink's own handlers would end the program before it has put the terminal back.
    for (const name of signals) process.on(name, ignore);
    this.#stdout.on('resize', this.#onResize);
    process.on('SIGCONT', this.#onContinue);
    this.#stdin.setRawMode(true);
    this.#stdout.write(enter);
    this.#stdin.on('data', this.#onData);
    this.#stdin.on('end', this.#handlers.onEnd);
    this.#stdin.on('error', this.#handlers.onEnd);
    this.#stdin.resume();
  }

  giveBack(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    clearTimeout(this.#escape);
    this.#keys = new KeyReader();
    process.off('exit', this.#giveBackAtExit);
    process.off('SIGCONT', this.#onContinue);
    this.#stdout.off('resize', this.#onResize);
    this.#stdin.off('data', this.#onData);
    this.#stdin.off('end', this.#handlers.onEnd);
    this.#stdin.off('error', this.#handlers.onEnd);
    this.#stdin.pause();
    this.#ink.forget();
    for (const name of signals) process.off(name, ignore);
    this.#stdout.write(leave);
    this.#stdin.setRawMode(false);
  }

  draw(frame: Frame): void {
    if (this.#isTaken) this.#ink.draw(frame);
  }

  /** Whatever may have been written over the frame goes. */
  clear(): void {
    this.#ink.forget();
    this.#stdout.write(clear);
  }

  /** Stops this program as the terminal's suspend key does; goes on here when it is continued. */
  suspend(): void {
    this.giveBack();
    process.kill(process.pid, 'SIGTSTP');
    // Where nobody could continue it, it is not stopped and goes on at once.
    setImmediate(() => {
      this.take();
      this.#handlers.onRedraw();
    });
  }

  readonly #giveBackAtExit = (): void => this.giveBack();

  readonly #onResize = (): void => {
    this.clear();
    this.#handlers.onRedraw();
  };

  readonly #onContinue = (): void => {
    // The shell may have changed the terminal meanwhile.
    this.#stdin.setRawMode(false);
    this.#stdin.setRawMode(true);
    this.#onResize();
  };

  readonly #onData = (bytes: Buffer): void => {
    clearTimeout(this.#escape);
    this.#handlers.onKeys(this.#keys.feed(bytes));
    if (this.#keys.isWaiting) this.#escape = setTimeout(() => this.#handlers.onKeys(this.#keys.flush()), escapeMs);
  };
}

function ignore(): void {
  // The command's own context fires on these signals.
}

/** Both ends of the same terminal, or undefined. */
export function terminalPair(stdin: unknown, stdout: unknown): { stdin: ReadStream; stdout: WriteStream } | undefined {
  if (!(stdin instanceof ReadStream) || !isWriteStream(stdout)) return undefined;
  return { stdin, stdout };
}

function isWriteStream(stream: unknown): stream is WriteStream {
  return typeof stream === 'object' && stream !== null && 'isTTY' in stream && stream.isTTY === true;
}
