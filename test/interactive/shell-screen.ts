/** The interactive shell on a terminal whose screen can be read, with this machine alone as the cluster. */
import type { OneMachine } from '../e2e/one-machine.ts';
import { nshProgram } from '../e2e/nsh-program.ts';
import { Screen } from '../e2e/screen.ts';

export class ShellScreen {
  readonly machine: OneMachine;
  readonly screen: Screen;

  /** @param command instead of `nsh`. */
  constructor(
    machine: OneMachine,
    given: Readonly<Record<string, string>> = {},
    size: readonly [cols: number, rows: number] = [80, 24],
    command: readonly string[] = [process.execPath, nshProgram],
  ) {
    this.machine = machine;
    this.screen = new Screen(command, { ...machine.env, NSH_PROMPT: String.raw`\W\{? \?\}> `, ...given }, ...size);
  }

  /** The prompt is the last of what stands there, and nothing is typed. */
  async prompt(status?: number): Promise<void> {
    const mark = status === undefined ? />\s*$/ : new RegExp(` ${status}>\\s*$`);
    await this.screen.until(
      (rows) => mark.test(this.#typed(rows)),
      `a prompt${status === undefined ? '' : ` with ${status}`}`,
    );
  }

  /** Types a line and waits for the next prompt. */
  async run(line: string, status?: number): Promise<void> {
    this.screen.type(line);
    // The line is on the screen before Enter, so that the prompt that is waited for is the next one.
    await this.screen.until((rows) => this.#typed(rows).includes(line.slice(-12)), `what was typed: ${line}`);
    this.screen.type('\r');
    await this.prompt(status);
  }

  #typed(rows: readonly string[]): string {
    return rows[this.screen.cursor[1]] ?? '';
  }

  async close(): Promise<void> {
    await this.screen.close();
  }
}
