/** `nsh` on a real terminal (a PTY under bash), as a person at a keyboard has it. */
import { spawn, type IPty } from 'node-pty';
import { nshProgram } from './nsh-program.ts';
import { waitUntil } from './wait-until.ts';

export class NshTerminal {
  readonly #pty: IPty;
  readonly #gone: Promise<void>;
  /** All that the terminal was sent, as latin1. */
  shown = '';
  /** When the newest of it came, by performance.now(). */
  shownAtMs = 0;
  /** Longest time without anything new, ms. */
  longestGapMs = 0;

  /** @param command what runs there instead of `nsh ARGS` */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
    command: readonly string[] = [process.execPath, nshProgram],
  ) {
    const words = [...command, ...args].map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
    // bash stays after nsh: what a terminal got last is lost where its last process goes at once.
    const script = `before=$(stty -g); ${words}; status=$?; [ "$before" = "$(stty -g)" ] && as=found || as=changed; echo "[status $status, terminal as $as]"; read -r`;
    this.#pty = spawn('bash', ['-c', script], {
      name: 'xterm-256color',
      cols: 80,
      rows: 24,
      encoding: null,
      env: Object.fromEntries(
        Object.entries({ ...env, TERM: 'xterm-256color' }).filter(([, value]) => value !== undefined),
      ),
    });
    this.#pty.onData((data) => {
      const now = performance.now();
      if (this.shownAtMs > 0) this.longestGapMs = Math.max(this.longestGapMs, now - this.shownAtMs);
      this.shownAtMs = now;
      this.shown += Buffer.from(data).toString('latin1');
    });
    this.#gone = new Promise((resolve) => {
      this.#pty.onExit(() => resolve());
    });
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  async untilShown(text: string | RegExp, timeoutMs = 20_000): Promise<void> {
    const isShown = (): boolean => (typeof text === 'string' ? this.shown.includes(text) : text.test(this.shown));
    await waitUntil(isShown, `${String(text)} on the terminal`, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; shown: ${JSON.stringify(this.shown.slice(-600))}`);
    });
  }

  /** The exit status of nsh, once the terminal was found as it had been. */
  async status(timeoutMs = 20_000): Promise<number> {
    await this.untilShown(/\[status \d+, terminal as \w+\]/, timeoutMs);
    const [, status, as] = /\[status (\d+), terminal as (\w+)\]/.exec(this.shown) ?? [];
    if (as !== 'found') throw new Error(`the terminal was left ${as}: ${this.shown.slice(-300)}`);
    return Number(status);
  }

  async close(): Promise<void> {
    this.#pty.kill('SIGKILL');
    await this.#gone;
  }
}
