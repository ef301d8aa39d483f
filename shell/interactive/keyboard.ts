/**
 * The one owner of stdin while nsh is interactive. Either the line editor has it (raw, bracketed paste on, every byte comes to one
 * listener), or it is lent: to a process in the foreground, a builtin, a question. What was typed while nobody listened waits.
 */
import type { ReadStream } from 'node:tty';
import { forgetCurrentTerminal, setCurrentTerminal, type Suspendable } from '../terminal/current-terminal.ts';
import { EndOfFileKey } from '../terminal/end-of-file-key.ts';

export interface KeyboardHandlers {
  readonly onBytes: (bytes: Buffer) => void;
  /** Somebody else needs the terminal for a moment: nothing of nsh may stand in the way. */
  readonly onSuspend: () => void;
  /** It is back. */
  readonly onResume: () => void;
  /** The terminal has gone. */
  readonly onEnd: () => void;
}

/** Application keypad and cursor keys off, as a shell wants them, whatever a program has left behind; pasted text marked as such. */
const begin = '\u001b[?1l\u001b>\u001b[?2004h';
const end = '\u001b[?2004l';

export class Keyboard implements Suspendable {
  readonly #stdin: ReadStream;
  readonly #stdout: NodeJS.WriteStream;
  readonly #endOfFileKey = new EndOfFileKey();
  #handlers: KeyboardHandlers | undefined;
  #isTaken = false;
  #isSuspended = false;
  /** Typed before anybody listened. */
  #early: Buffer[] = [];

  constructor(stdin: ReadStream, stdout: NodeJS.WriteStream) {
    this.#stdin = stdin;
    this.#stdout = stdout;
  }

  /** Who gets the bytes from now on; first those that have come already. */
  listen(handlers: KeyboardHandlers): void {
    this.#handlers = handlers;
    for (const bytes of this.#early.splice(0)) handlers.onBytes(bytes);
  }

  take(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    process.on('exit', this.#onExit);
    setCurrentTerminal(this);
    this.#open();
    this.#stdin.on('end', this.#onEnd);
    this.#stdin.on('error', this.#onEnd);
  }

  /**
   * The first half of `lend`: keys mean again what they mean to the terminal, and those that came before that are still listened to. Without it a
   * Ctrl-C that is typed just now would be a byte that nobody reads.
   */
  async cook(): Promise<void> {
    if (!this.#isTaken || this.#isSuspended) return;
    this.#stdin.setRawMode(false);
    // The event loop has looked for input in between.
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  }

  /** The terminal is as it was found, and nobody here reads from it. */
  lend(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    process.off('exit', this.#onExit);
    forgetCurrentTerminal(this);
    this.#stdin.off('end', this.#onEnd);
    this.#stdin.off('error', this.#onEnd);
    if (!this.#isSuspended) this.#close();
    this.#isSuspended = false;
  }

  /** Bytes that were read too early: the next reader of stdin gets them first. Only while it is lent. */
  giveBack(bytes: Buffer): void {
    if (bytes.length > 0) this.#stdin.unshift(bytes);
  }

  suspend(): void {
    if (!this.#isTaken || this.#isSuspended) return;
    this.#isSuspended = true;
    this.#handlers?.onSuspend();
    this.#close();
  }

  resume(): void {
    if (!this.#isTaken || !this.#isSuspended) return;
    this.#isSuspended = false;
    this.#open();
    this.#handlers?.onResume();
  }

  #open(): void {
    // Off first: libuv takes no notice where it believes that the mode is the same, whoever has changed it since.
    this.#stdin.setRawMode(false);
    this.#stdin.setRawMode(true);
    this.#stdout.write(begin);
    this.#stdin.on('data', this.#onData);
    this.#stdin.resume();
    this.#endOfFileKey.begin();
  }

  #close(): void {
    this.#stdin.off('data', this.#onData);
    this.#stdin.pause();
    this.#stdout.write(end);
    this.#stdin.setRawMode(false);
  }

  readonly #onData = (read: Buffer): void => {
    const bytes = this.#endOfFileKey.restore(read);
    if (this.#handlers === undefined) this.#early.push(bytes);
    else this.#handlers.onBytes(bytes);
  };

  readonly #onEnd = (): void => this.#handlers?.onEnd();

  readonly #onExit = (): void => this.lend();
}
