/**
 * Ctrl-D that was typed while the terminal read whole lines and nobody read it. The kernel keeps it as a NUL, which whoever reads the terminal
 * raw a moment later gets (Linux, n_tty.c: __DISABLED_CHAR). What is read in the first moment of raw mode was typed before it.
 */
import { Buffer } from 'node:buffer';

const kept = 0x00;
const endOfFileKey = 0x04;

export class EndOfFileKey {
  #isFirstMoment = false;

  /** The terminal is raw from now on, and is being read. */
  begin(): void {
    this.#isFirstMoment = true;
    // The event loop has looked for input in between.
    setImmediate(() => setImmediate(() => (this.#isFirstMoment = false)));
  }

  /** @returns what was typed, from what was read. */
  restore(bytes: Buffer): Buffer {
    if (!this.#isFirstMoment || !bytes.includes(kept)) return bytes;
    return Buffer.from(bytes.map((byte) => (byte === kept ? endOfFileKey : byte)));
  }
}
