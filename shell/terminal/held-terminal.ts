/**
 * The terminal while a process is being started for it: raw, so that nothing is echoed or taken for an end of file before the process can read
 * it. What is typed waits; Ctrl-C gives up.
 */
import type { ReadStream } from 'node:tty';
import { forgetCurrentTerminal, setCurrentTerminal, type Suspendable } from './current-terminal.ts';
import { EndOfFileKey } from './end-of-file-key.ts';

const interruptKey = 0x03;

export class HeldTerminal implements Suspendable {
  /** What nsh says of its waiting may stand here. */
  readonly showsProgress = true;
  readonly #stdin: ReadStream;
  readonly #onInterrupt: () => void;
  readonly #endOfFileKey = new EndOfFileKey();
  #typed: Buffer[] = [];
  #isListening = false;

  constructor(stdin: ReadStream, onInterrupt: () => void) {
    this.#stdin = stdin;
    this.#onInterrupt = onInterrupt;
    setCurrentTerminal(this);
    process.on('exit', this.#onExit);
    this.resume();
  }

  /** The next reader of stdin gets what was typed. @param isTaken it wants the terminal raw. */
  release(isTaken: boolean): void {
    this.#pause();
    process.off('exit', this.#onExit);
    forgetCurrentTerminal(this);
    if (!isTaken) this.#stdin.setRawMode(false);
    const typed = Buffer.concat(this.#typed.splice(0));
    if (typed.length > 0) this.#stdin.unshift(typed);
  }

  suspend(): void {
    this.#pause();
    this.#stdin.setRawMode(false);
  }

  resume(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#stdin.setRawMode(true);
    this.#stdin.on('data', this.#onData);
    this.#stdin.resume();
    this.#endOfFileKey.begin();
  }

  #pause(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#stdin.off('data', this.#onData);
    this.#stdin.pause();
  }

  readonly #onData = (read: Buffer): void => {
    const bytes = this.#endOfFileKey.restore(read);
    const at = bytes.lastIndexOf(interruptKey);
    if (at === -1) {
      this.#typed.push(bytes);
      return;
    }
    // As a terminal does it: what was typed before is forgotten.
    this.#typed = [bytes.subarray(at + 1)];
    this.#onInterrupt();
  };

  readonly #onExit = (): void => void this.#stdin.setRawMode(false);
}
