/** A child's stdin and stdout as one stream; the child is ended with it. */
import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';

export class ChildStream extends Duplex {
  readonly #child: ChildProcess;
  readonly #onDestroy: () => void;

  constructor(child: ChildProcess, onDestroy: () => void, endsWithExit = false) {
    super({ allowHalfOpen: true });
    this.#child = child;
    this.#onDestroy = onDestroy;
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout?.pause();
    });
    // With its exit, so that whoever sees the end can also tell what the child said and how it ended.
    if (endsWithExit) child.on('close', () => this.push(null));
    else child.stdout?.on('end', () => this.push(null));
    child.stdin?.on('error', (error) => this.destroy(error));
    child.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#child.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#child.stdin?.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#child.stdin?.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#onDestroy();
    callback(error);
  }
}
