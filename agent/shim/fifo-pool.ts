/**
 * Real pipes. Node has no pipe(2) and its own `pipe` stdio is a socket, whose /dev/stdout a child cannot open again. So FIFOs are
 * made in batches by one mkfifo(1), each opened at both ends and unlinked at once: 10 µs apiece against a process for each.
 */
import { execFile } from 'node:child_process';
import { constants, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NshError } from '../../src/protocol/errors.ts';

export interface Pipe {
  /** O_NONBLOCK; libuv clears it in the child where this becomes its stdin. */
  readonly read: number;
  readonly write: number;
}

const batch = 128;
/** The next batch is begun when fewer are left: a process needs four at most. */
const lowMark = 48;

export class FifoPool {
  readonly #pipes: Pipe[] = [];
  #refilling: Promise<void> | undefined;

  /** @throws NshError `spawnFailed` where no FIFO can be made. */
  async take(count: number): Promise<Pipe[]> {
    while (this.#pipes.length < count) await this.refill();
    const taken = this.#pipes.splice(0, count);
    // A failure shows at the next take, which waits for it.
    if (this.#pipes.length < lowMark) this.refill().catch(() => undefined);
    return taken;
  }

  refill(): Promise<void> {
    this.#refilling ??= this.#makeBatch().finally(() => {
      this.#refilling = undefined;
    });
    return this.#refilling;
  }

  close(): void {
    for (const pipe of this.#pipes.splice(0)) closePipe(pipe);
  }

  async #makeBatch(): Promise<void> {
    const directory = makeDirectory();
    try {
      const paths = Array.from({ length: batch }, (_, index) => join(directory, String(index)));
      await makeFifos(paths);
      for (const path of paths) this.#pipes.push(openPipe(path));
    } catch (error) {
      throw new NshError('spawnFailed', `no pipes can be made in ${directory}: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

export function closePipe(pipe: Pipe): void {
  closeSync(pipe.read);
  closeSync(pipe.write);
}

/** /dev/shm is local and does not fill up with the disk. */
function makeDirectory(): string {
  try {
    return mkdtempSync('/dev/shm/nsh-pipes-');
  } catch {
    // Not every machine has a /dev/shm that this user may write to.
    return mkdtempSync(join(tmpdir(), 'nsh-pipes-'));
  }
}

function makeFifos(paths: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('mkfifo', ['-m', '600', ...paths], { timeout: 10_000 }, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

function openPipe(path: string): Pipe {
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { read, write: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(read);
    throw error;
  }
}
