/**
 * One line on the terminal that says what nsh waits for, shown when that takes longer than a second and erased before anything else
 * is written. Nothing is shown where stderr is no terminal.
 */
import type { Writable } from 'node:stream';
import { progressAfterMs } from '../../src/protocol/limits.ts';
import { cutToWidth, escapeText } from '../escape.ts';
import { isTerminalHandedOver } from './current-terminal.ts';

type Write = Writable['write'];

export interface ProgressStreams {
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Erases the line before it is written to, where it is a terminal as well. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
}

export class Progress {
  readonly #streams: ProgressStreams;
  readonly #afterMs: number;
  #text = '';
  #timer: NodeJS.Timeout | undefined;
  #shown = false;
  #unhook: (() => void)[] = [];

  constructor(streams: ProgressStreams, afterMs: number = progressAfterMs) {
    this.#streams = streams;
    this.#afterMs = afterMs;
  }

  /** Says what is being waited for; shown a second after the first of several. */
  say(text: string): void {
    if (this.#streams.stderr.isTTY !== true) return;
    this.#text = text;
    if (this.#shown) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), this.#afterMs).unref();
  }

  /** What was waited for is there, or something else has the terminal. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#erase();
  }

  #draw(): void {
    this.#erase();
    // A process has the terminal: it says itself that its connection is lost.
    if (isTerminalHandedOver()) return;
    const columns = this.#streams.stderr.columns ?? 80;
    this.#streams.stderr.write(`\r${cutToWidth(escapeText(this.#text), columns - 1)}\u001b[K`);
    this.#shown = true;
    for (const stream of new Set([this.#streams.stderr, this.#streams.stdout])) {
      if (stream.isTTY === true) this.#unhook.push(eraseBefore(stream, () => this.clear()));
    }
  }

  #erase(): void {
    for (const unhook of this.#unhook.splice(0)) unhook();
    if (!this.#shown) return;
    this.#shown = false;
    this.#streams.stderr.write('\r\u001b[K');
  }
}

/** Calls `erase` once, before the next write. */
function eraseBefore(stream: Writable, erase: () => void): () => void {
  const original = stream.write.bind(stream);
  stream.write = ((...args: Parameters<Write>): boolean => {
    erase();
    return original(...args);
  }) as Write;
  return () => {
    stream.write = original;
  };
}
