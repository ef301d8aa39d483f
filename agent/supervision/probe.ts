/** Whether a replica can do its work: its ready probe (src/policy/supervision/spec.ts), asked again and again until `stop`. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { probeAttemptMs, probeIntervalMs } from '../../src/policy/supervision/ready-probe.ts';
import type { ReadyProbe } from '../../src/policy/supervision/spec.ts';
import { LineReader } from './line-reader.ts';

/** Between two attempts when it was ready, or could not be asked, ms. */
const readyIntervalMs = 5_000;

export interface ProbeOptions {
  readonly probe: ReadyProbe;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where its kept output lies. */
  readonly directory: string;
  readonly isReady: boolean;
  readonly onChange: (isReady: boolean) => void;
  /** An attempt could not be made; it counts as one that failed. Once for each reason in a row. */
  readonly onFault: (why: string) => void;
}

export class Probe {
  readonly #options: ProbeOptions;
  readonly #stopped = new AbortController();
  readonly #attempt: () => Promise<boolean>;
  #isReady: boolean;
  /** Why the attempt before could not be made. */
  #fault: string | undefined;
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
    const isReady = await this.#try();
    if (this.#stopped.signal.aborted) return;
    if (isReady !== this.#isReady) {
      this.#isReady = isReady;
      this.#options.onChange(isReady);
    }
    if (this.#options.probe.kind === 'log' && isReady) return;
    const isSlow = isReady || this.#fault !== undefined;
    this.#timer = setTimeout(() => void this.#ask(), isSlow ? readyIntervalMs : probeIntervalMs);
  }

  /** No memory, no descriptors, or an expression that takes for ever: nothing of that may end the agent. */
  async #try(): Promise<boolean> {
    try {
      const isReady = await this.#attempt();
      this.#fault = undefined;
      return isReady;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#fault && !this.#stopped.signal.aborted) this.#options.onFault(why);
      this.#fault = why;
      return false;
    }
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
      return async () => await Promise.resolve(readers.map((reader) => reader.finds()).includes(true));
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
  return new Promise((resolve, reject) => {
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
    child.once('error', (error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      reject(error);
    });
    child.once('exit', (code) => {
      // Also what it has left in the background: attempts come again and again.
      kill();
      done(code === 0);
    });
  });
}
