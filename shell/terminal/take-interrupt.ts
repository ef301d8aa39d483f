/** A Ctrl-C that was typed while the terminal was raw and that nobody has read: what it was for has ended before. */
import { setImmediate as turn } from 'node:timers/promises';
import type { ReadStream } from 'node:tty';
import { HeldTerminal } from './held-terminal.ts';

/** Looks at what waits in the terminal, without waiting for more. What was typed behind the Ctrl-C stays for the next reader. */
export async function takeInterrupt(stdin: ReadStream): Promise<boolean> {
  let isTyped = false;
  const held = new HeldTerminal(stdin, () => {
    isTyped = true;
  });
  // The event loop has looked for input in between.
  await turn();
  await turn();
  held.release(false);
  return isTyped;
}
