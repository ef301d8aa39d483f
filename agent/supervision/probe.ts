/** Whether a replica can do its work: its ready probe (src/policy/supervision/spec.ts), asked again and again until `stop`. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { connect } from 'node:net';
import { listSegments, type StreamName } from '../shim/log-segments.ts';
import { probeAttemptMs, probeIntervalMs } from '../../src/policy/supervision/ready-probe.ts';
import type { ReadyProbe } from '../../src/policy/supervision/spec.ts';

/** Between two attempts when it was ready, ms. */
const readyIntervalMs = 5_000;
/** Of a line of output, bytes: what is longer is looked at in parts. */
const maxLineBytes = 64 * 1024;

export interface ProbeOptions {
  readonly probe: ReadyProbe;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where its kept output lies. */
  readonly directory: string;
  readonly isReady: boolean;
  readonly onChange: (isReady: boolean) => void;
}

export class Probe {
  readonly #options: ProbeOptions;
  readonly #stopped = new AbortController();
  readonly #attempt: () => Promise<boolean>;
  #isReady: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.#isReady = options.isReady;
    this.#attempt = attemptOf(options, this.#stopped.signal);
    // A log that has said it once has said it.
    if (options.probe.kind !== 'log' || !options.isReady) void this.#ask();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async #ask(): Promise<void> {
    const isReady = await this.#attempt();
    if (this.#stopped.signal.aborted) return;
    if (isReady !== this.#isReady) {
      this.#isReady = isReady;
      this.#options.onChange(isReady);
    }
    if (this.#options.probe.kind === 'log' && isReady) return;
    this.#timer = setTimeout(() => void this.#ask(), isReady ? readyIntervalMs : probeIntervalMs);
  }
}

function attemptOf(options: ProbeOptions, signal: AbortSignal): () => Promise<boolean> {
  const { probe } = options;
  switch (probe.kind) {
    case 'tcp':
      return async () => (await accepts(probe.port, '127.0.0.1', signal)) || (await accepts(probe.port, '::1', signal));
    case 'exec':
      return () => succeeds(probe.command, options, signal);
    default: {
      const readers = (['stdout', 'stderr'] as const).map(
        (stream) => new LineReader(options.directory, stream, RegExp(probe.pattern, 'u')),
      );
      return () => Promise.resolve(readers.some((reader) => reader.finds()));
    }
  }
}

function accepts(port: number, host: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, signal });
    const done = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(probeAttemptMs, () => done(false));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

function succeeds(command: string, { cwd, environment }: ProbeOptions, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', command], { cwd, env: { ...environment }, stdio: 'ignore', detached: true });
    // What the command started goes with it.
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(kill, probeAttemptMs);
    signal.addEventListener('abort', kill, { once: true });
    const done = (is: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      resolve(is);
    };
    child.once('error', () => done(false));
    child.once('exit', (code) => done(code === 0));
  });
}

/** Reads what has come to a kept stream since it was asked last. */
class LineReader {
  readonly #directory: string;
  readonly #stream: StreamName;
  readonly #pattern: RegExp;
  #offset = 0;
  #rest = Buffer.alloc(0);

  constructor(directory: string, stream: StreamName, pattern: RegExp) {
    this.#directory = directory;
    this.#stream = stream;
    this.#pattern = pattern;
  }

  finds(): boolean {
    let found = false;
    for (const { path, base, size } of listSegments(this.#directory, this.#stream)) {
      if (base + size <= this.#offset) continue;
      const from = Math.max(this.#offset, base);
      const bytes = readPart(path, from - base, base + size - from);
      this.#offset = from + bytes.length;
      found = this.#take(bytes) || found;
    }
    return found;
  }

  /** A line that is not at its end yet counts as far as it goes: a prompt has none. */
  #take(bytes: Buffer): boolean {
    const text = Buffer.concat([this.#rest, bytes]);
    const end = text.lastIndexOf(0x0a) + 1;
    this.#rest = Buffer.from(text.subarray(Math.max(end, text.length - maxLineBytes)));
    return text
      .toString('utf8')
      .split('\n')
      .some((line) => this.#pattern.test(line));
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
    const bytes = Buffer.alloc(Math.min(length, 1024 * 1024));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, position));
  } finally {
    closeSync(file);
  }
}
