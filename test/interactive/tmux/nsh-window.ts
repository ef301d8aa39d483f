/** The interactive shell in a tmux window: prompts that can be told apart, lines that are run to their end. */
import { nshProgram } from '../../e2e/nsh-program.ts';
import type { Tmux, TmuxWindow, WindowOptions } from './tmux.ts';
import type { TmuxScreen } from './tmux-screen.ts';

export interface NshWindowOptions extends Partial<WindowOptions> {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Number of the line, node, directory, and the status where it is not 0: `3:n2:etc 1> `. */
const template = String.raw`\#:\N:\W\{? \?\}> `;
const pattern = /^(\d+):([^:]+):(.*?)(?: (\d+))?>(?: (.*))?$/;

export interface PromptSeen {
  /** Number of the line that is typed here. */
  readonly line: number;
  readonly node: string;
  readonly directory: string;
  readonly status: number;
  /** What stands behind it in its row. */
  readonly typed: string;
}

export class NshWindow {
  readonly window: TmuxWindow;

  private constructor(window: TmuxWindow) {
    this.window = window;
  }

  /** `nsh` without words, or another command that comes to be one. */
  static async open(tmux: Tmux, options: NshWindowOptions): Promise<NshWindow> {
    const command = options.command ?? [process.execPath, nshProgram];
    return new NshWindow(await tmux.open({ ...options, command, env: { NSH_PROMPT: template, ...options.env } }));
  }

  /** Its prompt, with nothing typed. @param line the number of the line, where it matters which. */
  async prompt(line?: number, timeoutMs?: number): Promise<PromptSeen> {
    let seen: PromptSeen | undefined;
    await this.window.waitForScreen(
      (screen) => {
        seen = readPrompt(screen.cursorRow);
        return seen?.typed === '' && (line === undefined || seen.line === line);
      },
      line === undefined ? 'an empty prompt' : `the empty prompt of line ${line}`,
      timeoutMs,
    );
    if (seen === undefined) throw new Error('no prompt was read');
    return seen;
  }

  /** Types a line at an empty prompt, enters it, and waits for the next prompt. */
  async run(line: string, timeoutMs?: number): Promise<PromptSeen> {
    const { line: number } = await this.prompt();
    await this.window.type(line);
    await this.window.keys('Enter');
    return await this.prompt(number + 1, timeoutMs);
  }

  /** `run`, and the rows of the screen between what was typed and the next prompt. For output that fits the screen. */
  async output(line: string, timeoutMs?: number): Promise<string[]> {
    await this.run(line, timeoutMs);
    const { rows, cursor } = await this.window.screen();
    const typed = rows.slice(0, cursor.y).findLastIndex((row) => readPrompt(row) !== undefined);
    return rows.slice(typed + 1, cursor.y);
  }

  keys(...names: readonly string[]): Promise<void> {
    return this.window.keys(...names);
  }

  type(text: string): Promise<void> {
    return this.window.type(text);
  }

  /** What stands behind the prompt, once it is this. For what fits one row; a suggestion in grey is part of it. */
  async waitForTyped(text: string, timeoutMs?: number): Promise<TmuxScreen> {
    return await this.window.waitForScreen(
      (screen) => readPrompt(screen.cursorRow)?.typed === text,
      `the line ${JSON.stringify(text)}`,
      timeoutMs,
    );
  }

  waitForScreen(isShown: (screen: TmuxScreen) => boolean, what: string, timeoutMs?: number): Promise<TmuxScreen> {
    return this.window.waitForScreen(isShown, what, timeoutMs);
  }

  waitForText(text: string, timeoutMs?: number): Promise<TmuxScreen> {
    return this.window.waitForText(text, timeoutMs);
  }

  screen(): Promise<TmuxScreen> {
    return this.window.screen();
  }

  close(): Promise<void> {
    return this.window.close();
  }
}

export function readPrompt(row: string): PromptSeen | undefined {
  const [, line, node = '', directory = '', status = '0', typed = ''] = pattern.exec(row) ?? [];
  if (line === undefined) return undefined;
  return { line: Number(line), node, directory, status: Number(status), typed };
}
