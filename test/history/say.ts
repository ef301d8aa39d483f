/** Says a line on stdout before it returns: what a process that is killed a moment later has told. */
import { writeSync } from 'node:fs';

export function say(line: string): void {
  let rest = Buffer.from(`${line}\n`, 'utf8');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // The pipe is full: its reader comes soon.
    }
  }
}
