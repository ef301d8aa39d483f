/**
 * Where a terminal's output stands, so that a terminal that nobody looked at for a while can be shown again: its screen at some offset,
 * and what has come behind that. No I/O of its own.
 */
import type { TerminalSize } from '../../src/cluster/process-stream/types.ts';
import type { ScreenResult } from '../../src/protocol/control.ts';
import { replay } from '../terminal/replay.ts';

export type ScreenAt = Pick<ScreenResult, 'data' | 'offset' | 'rows'>;

const nothing = Buffer.alloc(0);

export class CatchUp {
  /** Of the next byte. */
  #offset = 0;
  /** What has come since a screen was asked for, and where it begins. */
  #kept: Buffer[] | undefined;
  #keptFrom = 0;
  /** What comes before this offset is in a screen that was shown. */
  #shownTo = 0;

  /** The first byte that passes has this offset. */
  beginAt(offset: number): void {
    this.#offset = offset;
  }

  /** @returns what of it has not been shown. */
  pass(bytes: Buffer): Buffer {
    const from = this.#offset;
    this.#offset += bytes.length;
    this.#kept?.push(bytes);
    if (from >= this.#shownTo) return bytes;
    return this.#offset <= this.#shownTo ? nothing : bytes.subarray(this.#shownTo - from);
  }

  /** The bytes that bring a terminal up to date. What passes after that is shown as it comes. */
  async catchUp(askScreen: () => Promise<ScreenAt>, size: TerminalSize | undefined): Promise<Buffer> {
    this.#kept = [];
    this.#keptFrom = this.#offset;
    try {
      const screen = await askScreen();
      const behind = Buffer.concat(this.#kept).subarray(Math.max(0, screen.offset - this.#keptFrom));
      this.#shownTo = screen.offset;
      return Buffer.concat([replay(screen, size?.rows ?? screen.rows), behind]);
    } finally {
      this.#kept = undefined;
    }
  }
}
