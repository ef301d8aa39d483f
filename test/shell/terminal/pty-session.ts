/** A program on a real terminal (a PTY under bash with job control), and what the terminal's settings are before and after it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type IPty } from 'node-pty';
import { waitUntil } from '../wait-until.ts';

const directories: string[] = [];

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nsh-t-'));
  directories.push(directory);
  return directory;
}

export function removeTemporaryDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export interface Ended {
  readonly status: number;
  /** `stty -g` before and after. */
  readonly before: string;
  readonly after: string;
}

export class PtySession {
  readonly directory = temporaryDirectory();
  #pty: IPty | undefined;
  #exited = false;
  /** All that the terminal was sent, one character for each byte. */
  shown = '';

  /** The program is a job of bash: stopped, it is continued once. */
  start(words: readonly string[], env: Readonly<Record<string, string | undefined>>): void {
    const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
    const script = `cd ${this.directory}; trap : INT HUP; stty -g >before
${quoted} & echo $! >pid; fg >/dev/null; echo $? >status; stty -g >after; touch done
if jobs -s | grep -q .; then fg >/dev/null; echo $? >status2; stty -g >after2; touch done2; fi`;
    this.#pty = spawn('bash', ['-mc', script], {
      name: 'xterm-256color',
      cols: 80,
      rows: 24,
      encoding: null,
      env: Object.fromEntries(Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined)),
    });
    this.#pty.onData((data) => {
      this.shown += Buffer.from(data).toString('latin1');
    });
    this.#pty.onExit(() => {
      this.#exited = true;
    });
  }

  type(text: string): void {
    this.#pty?.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#pty?.resize(cols, rows);
  }

  /** To the program. */
  signal(name: NodeJS.Signals): void {
    process.kill(Number(this.#read('pid')), name);
  }

  async untilShown(text: string | RegExp): Promise<void> {
    const isShown = (): boolean => (typeof text === 'string' ? this.shown.includes(text) : text.test(this.shown));
    await waitUntil(`the terminal shows ${String(text)}`, isShown, 15_000).catch((error: unknown) => {
      throw new Error(`${String(error)}; it shows ${JSON.stringify(this.shown.slice(-1500))}`);
    });
  }

  /** `2`: after the program was stopped, this is its second end. */
  async ended(time: '' | '2' = ''): Promise<Ended> {
    await waitUntil('the end of the program', () => existsSync(join(this.directory, `done${time}`)), 15_000);
    return {
      status: Number(this.#read(`status${time}`)),
      before: this.#read('before'),
      after: this.#read(`after${time}`),
    };
  }

  async stop(): Promise<void> {
    if (!this.#exited) this.#pty?.kill('SIGKILL');
    await waitUntil('the end of the terminal', () => this.#exited);
  }

  #read(file: string): string {
    return readFileSync(join(this.directory, file), 'latin1').trim();
  }
}
