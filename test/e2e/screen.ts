/** A terminal with a screen that can be read: a program under a PTY, what it draws kept by an emulator. */
import xterm from '@xterm/headless';
import { spawn, type IPty } from 'node-pty';
import { waitUntil } from './wait-until.ts';

export class Screen {
  readonly #pty: IPty;
  readonly #emulator: xterm.Terminal;
  /** Exit status, when it has ended. */
  readonly status: Promise<number>;
  readonly #name: string;
  #unparsed = 0;

  constructor(command: readonly string[], env: Readonly<Record<string, string | undefined>>, cols = 80, rows = 24) {
    const [file = '', ...args] = command;
    this.#name = command.join(' ');
    const given = Object.entries({ ...env, TERM: 'xterm-256color' }).filter(([, value]) => value !== undefined);
    this.#pty = spawn(file, args, {
      name: 'xterm-256color',
      cols,
      rows,
      env: Object.fromEntries(given),
    });
    this.#emulator = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 1000 });
    this.#pty.onData((data) => {
      this.#unparsed++;
      this.#emulator.write(data, () => this.#unparsed--);
    });
    // Programs ask the terminal what it is and where the cursor stands; a person's terminal answers.
    this.#emulator.onData((answer) => this.#pty.write(answer));
    this.status = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => resolve(exitCode));
    });
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#emulator.resize(cols, rows);
    this.#pty.resize(cols, rows);
  }

  /** The rows that are seen, the cursor marked by its place behind them. */
  get rows(): string[] {
    const buffer = this.#emulator.buffer.active;
    const rows: string[] = [];
    for (let y = 0; y < this.#emulator.rows; y++)
      rows.push(
        buffer
          .getLine(buffer.baseY + y)
          ?.translateToString(true)
          .trimEnd() ?? '',
      );
    return rows;
  }

  get cursor(): readonly [x: number, y: number] {
    return [this.#emulator.buffer.active.cursorX, this.#emulator.buffer.active.cursorY];
  }

  get isAlternate(): boolean {
    return this.#emulator.buffer.active.type === 'alternate';
  }

  /** Colours and attributes of a row, cell by cell: what its text does not tell. */
  attributes(y: number): string {
    const line = this.#emulator.buffer.active.getLine(this.#emulator.buffer.active.baseY + y);
    const cells: string[] = [];
    for (let x = 0; x < this.#emulator.cols; x++) {
      const cell = line?.getCell(x);
      if (cell === undefined || cell.getChars().trim() === '') continue;
      cells.push(
        [x, cell.getFgColor(), cell.getBgColor(), cell.isBold(), cell.isInverse(), cell.isUnderline()].join(','),
      );
    }
    return cells.join(' ');
  }

  async until(isShown: (rows: readonly string[]) => boolean, what: string, timeoutMs = 20_000): Promise<void> {
    await waitUntil(() => this.#unparsed === 0 && isShown(this.rows), what, timeoutMs).catch((error: unknown) => {
      throw new Error(`${this.#name}: ${String(error)}; on the screen:\n${this.rows.join('\n')}`);
    });
  }

  untilText(text: string, timeoutMs?: number): Promise<void> {
    return this.until((rows) => rows.some((row) => row.includes(text)), text, timeoutMs);
  }

  signal(name: NodeJS.Signals): void {
    this.#pty.kill(name);
  }

  /** The window is closed: the terminal goes, and the kernel tells those that have it. */
  hangUp(): void {
    (this.#pty as IPty & { destroy(): void }).destroy();
  }

  async close(): Promise<void> {
    this.#pty.kill('SIGKILL');
    await this.status;
    this.#emulator.dispose();
  }
}
