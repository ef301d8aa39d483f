/**
 * A tmux of its own, in which programs run as a person has them: keys are sent by their names, text is pasted by the terminal, the screen is
 * read back. Every window is a session, so that each has its own size. `close` ends the server and fails where a program stays.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../../e2e/nsh-cluster.ts';
import { waitUntil } from '../../e2e/wait-until.ts';
import { factsFormat, TmuxScreen } from './tmux-screen.ts';

const terminalName = 'tmux-256color';

const configuration = `
set -g default-terminal ${terminalName}
set -g history-limit 20000
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ''
set -s escape-time 0
set -s exit-empty off
`;

export interface WindowOptions {
  readonly command: readonly string[];
  /** The whole environment, but for TERM. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default 80. */
  readonly columns?: number;
  /** Default 24. */
  readonly rows?: number;
  /** Default `/`. */
  readonly cwd?: string;
}

export class Tmux {
  readonly #directory = mkdtempSync(join(tmpdir(), 'nsh-tmux-'));
  readonly #windows: TmuxWindow[] = [];
  #count = 0;
  /** Known with the first window. */
  serverPid = 0;

  async open({ command, env, columns = 80, rows = 24, cwd = '/' }: WindowOptions): Promise<TmuxWindow> {
    const name = `w${++this.#count}`;
    const given = Object.entries({ ...env, TERM: terminalName }).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value}`],
    );
    if (this.#count === 1) writeFileSync(join(this.#directory, 'tmux.conf'), configuration);
    const size = ['-x', String(columns), '-y', String(rows)];
    await this.run(['new-session', '-d', '-s', name, ...size, '-c', cwd, 'env', '-i', ...given, ...command]);
    const pids = (await this.run(['display-message', '-p', '-t', name, '#{pane_pid} #{pid}'])).split(' ').map(Number);
    const [pid = 0, serverPid = 0] = pids;
    this.serverPid = serverPid;
    const window = new TmuxWindow(this, name, pid, command.join(' '));
    this.#windows.push(window);
    return window;
  }

  /** How many cells tmux gives a text. */
  async widthOf(text: string): Promise<number> {
    const env = { LANG: 'C.UTF-8', PATH: process.env['PATH'] };
    const command = ['sh', '-c', 'printf "%s" "$0"; exec sleep 1000', `${text}.`];
    const window = await this.open({ command, env, columns: 200 });
    const { cursor } = await window.waitForScreen((screen) => screen.cursorRow.endsWith('.'), 'the text');
    await window.close();
    return cursor.x - 1;
  }

  /** `tmux ARGS`. @returns what it prints. @throws Error with what it says. */
  run(args: readonly string[], input?: string): Promise<string> {
    const words = ['-S', join(this.#directory, 'socket'), '-f', join(this.#directory, 'tmux.conf'), '-u', ...args];
    const env = { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: this.#directory };
    return new Promise((resolve, reject) => {
      const child = execFile('tmux', words, { env, timeout: 20_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`tmux ${args.join(' ').slice(0, 200)}: ${stderr.trim() || error.message}`));
      });
      child.stdin?.on('error', () => undefined); // It does not read its input: its status tells.
      child.stdin?.end(input ?? '');
    });
  }

  /** Ends all that runs in it. @throws Error where something stays. */
  async close(): Promise<void> {
    try {
      for (const window of this.#windows.splice(0)) await window.close();
    } finally {
      if (existsSync(join(this.#directory, 'socket'))) await this.run(['kill-server']).catch(() => undefined);
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }
}

export class TmuxWindow {
  readonly #tmux: Tmux;
  readonly #target: string;
  readonly #name: string;
  /** Of the program. */
  readonly pid: number;
  #isClosed = false;
  #tty: string | undefined;

  constructor(tmux: Tmux, target: string, pid: number, name: string) {
    this.#tmux = tmux;
    this.#target = target;
    this.pid = pid;
    this.#name = name;
  }

  /** Keys by the names that tmux has for them: `C-a`, `M-f`, `Left`, `Enter`, `Tab`, `BTab`, `Escape`; characters as they are. */
  async keys(...names: readonly string[]): Promise<void> {
    await this.#tmux.run(['send-keys', '-t', this.#target, '--', ...names]);
  }

  /** Characters, one key after the other. */
  async type(text: string): Promise<void> {
    await this.#tmux.run(['send-keys', '-l', '-t', this.#target, '--', text]);
  }

  /** As a person's terminal pastes: marked where the program has asked for it, line feeds as Enter sends them. */
  async paste(text: string): Promise<void> {
    await this.#tmux.run(['load-buffer', '-b', this.#target, '-'], text);
    await this.#tmux.run(['paste-buffer', '-p', '-d', '-b', this.#target, '-t', this.#target]);
  }

  /** Resolves when the program can know of it: tmux draws in the new size up to a quarter of a second before the terminal has it. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux.run(['resize-window', '-t', this.#target, '-x', String(columns), '-y', String(rows)]);
    const wanted = `${rows} ${columns}\n`;
    await waitUntil(async () => (await this.stty('size')) === wanted, `${this.#name} to be ${columns} by ${rows}`);
  }

  /** What its program has set as the title of the window; else the name of this machine. */
  async title(): Promise<string> {
    return (await this.#tmux.run(['display-message', '-p', '-t', this.#target, '#{pane_title}'])).trim();
  }

  /** What stty(1) says of its terminal, as its program has set it. */
  async stty(operand: string): Promise<string> {
    this.#tty ??= (await this.#tmux.run(['display-message', '-p', '-t', this.#target, '#{pane_tty}'])).trim();
    return await new Promise((resolve) => {
      execFile('stty', ['-F', this.#tty ?? '', operand], (_error, stdout) => resolve(stdout));
    });
  }

  async screen(): Promise<TmuxScreen> {
    const at = ['-t', this.#target];
    const facts = ['display-message', '-p', ...at, factsFormat];
    const screen = new TmuxScreen(await this.#tmux.run([...facts, ';', 'capture-pane', '-p', '-e', ...at]));
    // tmux 3.3 misses the end of a child now and then, and looks for it only when it is signalled.
    if (screen.facts.isEnded && screen.facts.status === undefined) process.kill(this.#tmux.serverPid, 'SIGCHLD');
    return screen;
  }

  /** All rows that the pane has kept, those above the screen first, lines that were wrapped as one. */
  async scrollback(): Promise<string[]> {
    const text = await this.#tmux.run(['capture-pane', '-p', '-J', '-S', '-', '-t', this.#target]);
    return text.split('\n').map((row) => row.trimEnd());
  }

  /** The screen that shows it. @throws Error with the screen as it is after `timeoutMs`. */
  async waitForScreen(isShown: (screen: TmuxScreen) => boolean, what: string, timeoutMs = 20_000): Promise<TmuxScreen> {
    let seen: TmuxScreen | undefined;
    const look = async (): Promise<boolean> => {
      seen = await this.screen();
      return isShown(seen);
    };
    await waitUntil(look, what, timeoutMs).catch((error: unknown) => {
      throw new Error(`${this.#name}: ${String(error)}; on the screen, cursor ${describeCursor(seen)}:\n${seen?.text}`);
    });
    if (seen === undefined) throw new Error('no screen was read');
    return seen;
  }

  waitForText(text: string, timeoutMs?: number): Promise<TmuxScreen> {
    return this.waitForScreen((screen) => screen.text.includes(text), JSON.stringify(text), timeoutMs);
  }

  /** The exit status of the program, once it has ended; 128 + n where signal n ended it. */
  async waitForEnd(timeoutMs?: number): Promise<number> {
    const { facts } = await this.waitForScreen(({ facts: { status } }) => status !== undefined, 'its end', timeoutMs);
    return facts.status ?? 0;
  }

  /** The window is closed, as by a click: SIGHUP. @throws Error where the program does not end of it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#tmux.run(['kill-session', '-t', this.#target]);
    await waitUntil(() => !isRunning(this.pid), `the end of ${this.#name}, whose window was closed`);
  }
}

function describeCursor(screen: TmuxScreen | undefined): string {
  return screen === undefined ? 'unknown' : `${screen.cursor.x},${screen.cursor.y}`;
}
