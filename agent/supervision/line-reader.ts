/**
 * Looks for a pattern in what comes to a kept stream, within bounds: neither a flood nor a pattern that backtracks (JavaScript's match takes
 * exponential time then) may hold up the agent, and with it every group of the node.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { createContext, Script } from 'node:vm';
import { NshError } from '../../src/protocol/errors.ts';
import { listSegments, type StreamName } from '../shim/log-segments.ts';

/** Of a line, bytes: what is longer is looked at in parts. */
const maxLineBytes = 64 * 1024;
/** Read in one look; the next one goes on there. */
const maxLookBytes = 1024 * 1024;
/** Of one look, ms. */
export const maxMatchMs = 100;
/** It is given up then: the replica fails when its time to become ready is over. */
const maxTimeouts = 3;

/** Where a match can be stopped (node:vm). One for all: each is as large as a small program. */
const scene: { pattern: RegExp; lines: readonly string[] } = { pattern: /^/, lines: [] };
createContext(scene);
const match = new Script('lines.some((line) => pattern.test(line))');

export class LineReader {
  readonly #directory: string;
  readonly #stream: StreamName;
  readonly #pattern: RegExp;
  #timeouts = 0;
  #offset = 0;
  #rest = Buffer.alloc(0);

  constructor(directory: string, stream: StreamName, pattern: RegExp) {
    this.#directory = directory;
    this.#stream = stream;
    this.#pattern = pattern;
  }

  /** Whether it is in what has come since it was asked last. @throws NshError `timeout` where the match takes too long; that text is left. */
  finds(): boolean {
    if (this.#timeouts >= maxTimeouts) return false;
    let left = maxLookBytes;
    for (const { path, base, size } of listSegments(this.#directory, this.#stream)) {
      if (base + size <= this.#offset) continue;
      if (left <= 0) break;
      const from = Math.max(this.#offset, base);
      // What came between is cut away: no line goes on across that.
      if (from > this.#offset) this.#rest = Buffer.alloc(0);
      const bytes = readPart(path, from - base, Math.min(left, base + size - from));
      this.#offset = from + bytes.length;
      left -= bytes.length;
      if (this.#take(bytes)) return true;
      if (this.#offset < base + size) break;
    }
    return false;
  }

  /** A line that is not at its end yet counts as far as it goes: a prompt has none. */
  #take(bytes: Buffer): boolean {
    const text = Buffer.concat([this.#rest, bytes]);
    const end = text.lastIndexOf(0x0a) + 1;
    this.#rest = Buffer.from(text.subarray(Math.max(end, text.length - maxLineBytes)));
    scene.pattern = this.#pattern;
    scene.lines = text.toString('utf8').split('\n');
    try {
      return match.runInContext(scene, { timeout: maxMatchMs }) === true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      this.#timeouts++;
      throw new NshError('timeout', `to look for the expression takes longer than ${maxMatchMs} ms: it backtracks`);
    } finally {
      scene.lines = [];
    }
  }
}

function readPart(path: string, position: number, length: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    // Cut away since.
    return Buffer.alloc(0);
  }
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, position));
  } finally {
    closeSync(file);
  }
}
