/** What real readline makes of keys: `bash -i` on a PTY, asked for its line by a key bound to a report. One bash for each sequence. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node-pty';

export interface EditedLine {
  readonly text: string;
  /** In characters (code points). */
  readonly point: number;
}

const deadlineMs = 15_000;
const reportKey = '\u{1b}[99~';

export class ReadlineOracle {
  readonly #directory = mkdtempSync(join(tmpdir(), 'nsh-readline-'));
  readonly #rcFile = join(this.#directory, 'rc');

  constructor(mode: 'emacs' | 'vi', history: readonly string[]) {
    const entries = history.map((entry) => `history -s ${quoted(entry)}`);
    const keymaps = mode === 'vi' ? ['vi-insert', 'vi-command'] : ['emacs'];
    const lines = [
      'unset HISTFILE; HISTCONTROL=; stty -ixon',
      "PS1='READY> '",
      `set -o ${mode}`,
      'bind "set bell-style none"; bind "set enable-bracketed-paste off"',
      `report() { printf '<<%s %s>>' "$(printf '%s' "$READLINE_LINE" | od -An -tx1 -v | tr -d ' \\n')" "$READLINE_POINT"; }`,
      ...keymaps.map((keymap) => `bind -m ${keymap} -x '"\\e[99~": report'`),
      'history -c',
      ...entries,
    ];
    writeFileSync(this.#rcFile, `${lines.join('\n')}\n`);
  }

  /** @returns the line as it stands after the keys. */
  async edit(keys: string): Promise<EditedLine> {
    const bash = spawn('bash', ['--noprofile', '--rcfile', this.#rcFile, '-i'], {
      cols: 200,
      rows: 24,
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', INPUTRC: '/dev/null', LC_ALL: 'C.UTF-8' },
    });
    try {
      return await new Promise<EditedLine>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no report for ${JSON.stringify(keys)}: ${seen}`)), deadlineMs);
        let seen = '';
        let isSent = false;
        bash.onData((data) => {
          seen += data;
          if (!isSent && seen.includes('READY> ')) {
            isSent = true;
            bash.write(keys + reportKey);
          }
          const report = /<<([0-9a-f]*) (\d+)>>/.exec(seen);
          if (report === null) return;
          clearTimeout(timer);
          resolve({ text: Buffer.from(report[1] ?? '', 'hex').toString('utf8'), point: Number(report[2]) });
        });
      });
    } finally {
      const ended = new Promise<void>((resolve) => {
        bash.onExit(() => resolve());
      });
      bash.kill('SIGKILL');
      await ended;
    }
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
