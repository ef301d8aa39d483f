/** Runs the built `nsh` command as a person would, and keeps what it said byte for byte. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkout } from '../hosts/cluster-file.ts';

export const nshProgram = join(checkout, 'dist/nsh.js');

export interface NshOptions {
  readonly input?: string | Buffer;
  /** Added to the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default 30,000; a command that takes longer is killed and the call fails. */
  readonly timeoutMs?: number;
}

export interface NshResult {
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it came. */
  readonly bytes: Buffer;
  readonly errorBytes: Buffer;
  /** 128+n where a signal ended nsh itself, as a shell tells it. */
  readonly status: number;
  readonly tookMs: number;
}

/** One `nsh` that runs: for tests that do something to it meanwhile. */
export class RunningNsh {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<NshResult>;
  readonly #out: Buffer[] = [];
  readonly #err: Buffer[] = [];
  readonly #began = performance.now();
  readonly #args: readonly string[];
  readonly #listeners = new Set<() => void>();

  /** @param behind words that run what follows them, in the same process: as another user, for one. */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
    behind: readonly string[] = [],
  ) {
    this.#args = args;
    const [file = '', ...rest] = [...behind, process.execPath, nshProgram, ...args];
    this.child = spawn(file, rest, { env: { ...env }, cwd: '/' });
    this.child.stdout.on('data', (chunk: Buffer) => this.#keep(this.#out, chunk));
    this.child.stderr.on('data', (chunk: Buffer) => this.#keep(this.#err, chunk));
    // A command that does not read its input ends first: no fault of the test.
    this.child.stdin.on('error', () => undefined);
    this.child.once('close', () => {
      for (const look of this.#listeners) look();
    });
    this.ended = once(this.child, 'close').then(([code, signal]) =>
      this.#result(code as number | null, signal as NodeJS.Signals | null),
    );
  }

  get stdout(): string {
    return Buffer.concat(this.#out).toString('utf8');
  }

  get stderr(): string {
    return Buffer.concat(this.#err).toString('utf8');
  }

  get outBytes(): number {
    return this.#out.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Resolves when stdout holds `text`. @throws Error where nsh ends first, or 30 s have passed. */
  async untilStdout(text: string): Promise<void> {
    await this.until(() => this.stdout.includes(text), `stdout with ${JSON.stringify(text)}`);
  }

  async untilStderr(text: string): Promise<void> {
    await this.until(() => this.stderr.includes(text), `stderr with ${JSON.stringify(text)}`);
  }

  /** Looks anew whenever nsh said something. */
  async until(isTrue: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (isTrue()) finish();
        else if (this.child.exitCode !== null || this.child.signalCode !== null)
          finish(new Error(this.#describe(`ended without ${what}`)));
      };
      const timer = setTimeout(() => finish(new Error(this.#describe(`came to no ${what}`))), timeoutMs);
      this.#listeners.add(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The end, within `timeoutMs`. */
  async end(timeoutMs = 30_000): Promise<NshResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.child.kill('SIGKILL');
        reject(new Error(this.#describe(`did not end within ${timeoutMs} ms`)));
      }, timeoutMs);
    });
    try {
      return await Promise.race([this.ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #keep(chunks: Buffer[], chunk: Buffer): void {
    chunks.push(chunk);
    for (const look of this.#listeners) look();
  }

  #result(code: number | null, signal: NodeJS.Signals | null): NshResult {
    const [bytes, errorBytes] = [Buffer.concat(this.#out), Buffer.concat(this.#err)];
    return {
      bytes,
      errorBytes,
      stdout: bytes.toString('utf8'),
      stderr: errorBytes.toString('utf8'),
      status: code ?? 128 + signalNumber(signal),
      tookMs: performance.now() - this.#began,
    };
  }

  #describe(what: string): string {
    return `nsh ${this.#args.join(' ')} ${what}; stdout: ${this.stdout.slice(-500)} stderr: ${this.stderr.slice(-1000)}`;
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };
  return signal === null ? 0 : (numbers[signal] ?? 0);
}
