/** A program on a PTY of its own, driven as a person would: keys go in, and what comes out is waited for. Of a flood only the end is kept. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

interface Pty {
  readonly pid: number;
  write(data: string): void;
  onData(listener: (data: string) => void): unknown;
  onExit(listener: () => void): unknown;
  kill(signal?: string): void;
}
interface PtyModule {
  spawn(file: string, args: readonly string[], options: Record<string, unknown>): Pty;
}
const pty = createRequire(import.meta.url)('node-pty') as PtyModule;

const keptCharacters = 16_384;
const deadlineMs = 30_000;

export class BenchTerminal {
  readonly #name: string;
  readonly #pty: Pty;
  readonly #ended: Promise<void>;
  #text = '';
  #seen = 0;
  #lastMs = 0;
  #onText: () => void = () => undefined;

  constructor(name: string, command: readonly string[], env: NodeJS.ProcessEnv, columns = 80, rows = 24) {
    this.#name = name;
    const [file = '', ...args] = command;
    this.#pty = pty.spawn(file, args, { cols: columns, rows, env: { ...env, TERM: env['TERM'] ?? 'xterm' } });
    this.#ended = new Promise((resolve) => void this.#pty.onExit(resolve));
    this.#pty.onData((data) => {
      this.#lastMs = performance.now();
      this.#seen += data.length;
      this.#text = (this.#text + data).slice(-keptCharacters);
      this.#onText();
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Characters since the last key. */
  get seen(): number {
    return this.#seen;
  }

  /** What came before is forgotten. */
  type(keys: string): void {
    this.#text = '';
    this.#seen = 0;
    this.#pty.write(keys);
  }

  /** ms from the key to what it brings about. */
  async answer(keys: string, wanted: RegExp | ((text: string) => boolean)): Promise<number> {
    const start = performance.now();
    this.type(keys);
    await this.until(wanted);
    return this.#lastMs - start;
  }

  /** @throws Error where it does not come. */
  until(wanted: RegExp | ((text: string) => boolean)): Promise<void> {
    const isThere = typeof wanted === 'function' ? wanted : (text: string): boolean => wanted.test(text);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.#name}: waited for ${String(wanted)}, saw ${JSON.stringify(this.#text.slice(-500))}`));
      }, deadlineMs);
      this.#onText = (): void => {
        if (!isThere(this.#text)) return;
        clearTimeout(timer);
        this.#onText = () => undefined;
        resolve();
      };
      this.#onText();
    });
  }

  /** Resolves when nothing has come for so long: whatever a key set off has ended. */
  async quiet(ms: number): Promise<void> {
    for (let before = -1; before !== this.#lastMs; ) {
      before = this.#lastMs;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  async end(): Promise<void> {
    this.#pty.kill('SIGKILL');
    await this.#ended;
  }
}

/** Processor time of a process so far, ms, all its threads: what it costs, whatever else the machine does. */
export function cpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, id) => sum + threadMs(`/proc/${pid}/task/${id}/schedstat`), 0);
}

function threadMs(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    // A thread that has just ended, and cost little.
    return 0;
  }
}
