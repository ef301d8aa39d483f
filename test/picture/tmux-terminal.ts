/** A terminal of tmux on a server of its own, which a script types into and reads as a person would. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const deadlineMs = 20_000;
const lookMs = 25;

export class TmuxTerminal {
  readonly #socket = `nsh-picture-${randomUUID()}`;
  readonly #size: { readonly columns: number; readonly rows: number };
  readonly #env: Readonly<Record<string, string>>;

  constructor(size: { readonly columns: number; readonly rows: number }, env: Readonly<Record<string, string>>) {
    this.#size = size;
    this.#env = env;
  }

  start(argv: readonly string[], cwd: string): void {
    const { columns, rows } = this.#size;
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('new-session', '-d', ...size, '-c', cwd, ...argv, ';', 'set-option', 'status', 'off');
  }

  /** Types a line, and waits for the prompt after it. */
  async run(line: string): Promise<void> {
    await this.type(line);
    this.key('Enter');
    await this.prompt();
  }

  /** Types, and waits until it is seen. */
  async type(text: string): Promise<void> {
    this.#tmux('send-keys', '-l', text);
    await this.#until(() => this.#line().trimEnd().endsWith(text.trimEnd().slice(-40)), `what was typed: ${text}`);
  }

  key(...names: readonly string[]): void {
    this.#tmux('send-keys', ...names);
  }

  /** The cursor stands behind a prompt with nothing typed. */
  async prompt(): Promise<void> {
    // The line that was entered is a prompt with something behind it.
    await this.#until(() => /[#$]\s*$/.test(this.#line()) && this.#line().includes('3/3'), 'a prompt');
  }

  async until(pattern: RegExp): Promise<void> {
    await this.#until(() => this.#rows().some((row) => pattern.test(row.trimEnd())), String(pattern));
  }

  /** A process with this command line runs. */
  async hasRun(command: string): Promise<void> {
    await this.#until(() => commandLines().includes(command), `a process ${command}`);
  }

  /** Until the screen has been the same for a while: nodes that were asked have answered. */
  async settle(): Promise<void> {
    let before = '';
    await this.#until(
      () => {
        const now = this.capture();
        const isSame = now === before;
        before = now;
        return isSame;
      },
      'a screen that rests',
      1_500,
    );
  }

  /** The rows with their attributes. */
  capture(): string {
    return this.#tmux('capture-pane', '-e', '-p', '-N');
  }

  cursor(): readonly [x: number, y: number] {
    const [x = 0, y = 0] = this.#tmux('display-message', '-p', '#{cursor_x} #{cursor_y}').trim().split(' ').map(Number);
    return [x, y];
  }

  async close(): Promise<void> {
    // What is there is told that its window has been closed, and cleans up.
    const pid = Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
    this.#tmux('kill-server');
    await this.#until(() => !isRunning(pid), 'the end of the demo');
  }

  #rows(): string[] {
    return this.#tmux('capture-pane', '-p').split('\n');
  }

  /** The row of the cursor. */
  #line(): string {
    return this.#rows()[this.cursor()[1]] ?? '';
  }

  async #until(isSo: () => boolean, what: string, everyMs = lookMs): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!isSo()) {
      if (performance.now() > end)
        throw new Error(`waited in vain for ${what}; on the screen:\n${this.#rows().join('\n')}`);
      await delay(everyMs);
    }
  }

  #tmux(...args: readonly string[]): string {
    const words = ['-L', this.#socket, '-f', '/dev/null', ...args];
    return execFileSync('tmux', words, { env: { ...this.#env }, encoding: 'utf8' });
  }
}

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() : [];
    } catch {
      return []; // It has ended.
    }
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
