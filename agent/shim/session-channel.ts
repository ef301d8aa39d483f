/**
 * A channel beside stdin and stdout, for a program that knows of it: a text that it reads from descriptor 3, and a report that it leaves on
 * descriptor 4. Not by argv or environment, since what these hold can be seen by others. The report is what has been written when the
 * process is reaped: others that inherited the descriptor are not waited for.
 */
import { closeChannelFile, openChannelFile, readChannelFile } from '../../src/cluster/channel-file.ts';
import { maxChannelBytes } from '../../src/protocol/limits.ts';

export class SessionChannel {
  #input: number | undefined;
  #output: number | undefined;

  /** @throws NodeJS.ErrnoException where there is no room for the text. */
  constructor(text: string) {
    this.#input = openChannelFile(text);
    this.#output = openChannelFile('');
  }

  /** Descriptors of this process, to read from and to write to, for a child to open anew. */
  get descriptors(): readonly number[] {
    return [this.#input, this.#output].filter((fd) => fd !== undefined);
  }

  /** The process has opened its own. */
  opened(): void {
    if (this.#input !== undefined) closeChannelFile(this.#input);
    this.#input = undefined;
  }

  /** The process has been reaped: its report. A longer one than may be is cut; who reads it finds it torn. */
  take(): Buffer {
    const text = this.#output === undefined ? '' : readChannelFile(this.#output, maxChannelBytes);
    this.close();
    return Buffer.from(text, 'latin1');
  }

  close(): void {
    this.opened();
    if (this.#output !== undefined) closeChannelFile(this.#output);
    this.#output = undefined;
  }
}
