/** Job control at the prompt, line by line beside an interactive bash that gets the same keys. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OneMachine } from '../e2e/one-machine.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';
import type { TmuxScreen } from './tmux/tmux-screen.ts';

/** A line; keys to press once a row has come that says `shown`. What is compared is what stands below the line. */
type Step = readonly [line: string, key?: string, shown?: string];

const scripts: readonly (readonly [what: string, steps: readonly Step[]])[] = [
  [
    'stopped, listed, continued and ended jobs',
    [
      ['hold a', 'C-z'],
      ['hold b', 'C-z'],
      ['jobs'],
      ['jobs %1'],
      ['fg %1', 'C-z'],
      ['jobs'],
      ['bg %2'],
      ['jobs'],
      ['fg %?b', 'C-z', 'here'],
      ['fg %hold'],
      ['bg %2'],
      ['bg %2'],
      ['fg %2', 'C-c', 'here'],
      ['fg %+', 'C-c'],
      ['jobs'],
    ],
  ],
  [
    'what is no job',
    [
      ['fg'],
      ['bg'],
      ['jobs %3'],
      ['fg %3'],
      ['bg %str'],
      ['kill %1'],
      ['wait %4'],
      ['disown %2'],
      ['hold a', 'C-z'],
      ['jobs %hold %3'],
      ['fg %3'],
      ['bg %str'],
      ['kill %7'],
      ['disown %2'],
      ['fg', 'C-c'],
    ],
  ],
];

let machine: OneMachine;
let tmux: Tmux;
beforeAll(() => {
  machine = new OneMachine();
  tmux = new Tmux();
  const bin = join(machine.directory, 'bin');
  mkdirSync(bin);
  // It says `on` when it begins and when it is continued in the foreground, `here` when it gets the terminal back. In the background it is
  // silent: what it said might come before the next prompt or behind it.
  writeFileSync(
    join(bin, 'hold'),
    `#!/usr/bin/env python3
import os, signal, time
def on(*_):
    if os.tcgetpgrp(0) == os.getpgrp(): os.write(1, b'on\\n')
signal.signal(signal.SIGCONT, on)
signal.signal(signal.SIGINT, signal.SIG_DFL)
on()
was = True
while True:
    time.sleep(0.02)
    now = os.tcgetpgrp(0) == os.getpgrp()
    if now and not was: os.write(1, b'here\\n')
    was = now
`,
  );
  chmodSync(join(bin, 'hold'), 0o755);
});
afterAll(async () => {
  await tmux.close();
  await machine.stop();
});

describe('beside an interactive bash', () => {
  it.each(scripts)('%s', async (_what, steps) => {
    const env = { ...machine.env, PATH: `${join(machine.directory, 'bin')}:${machine.env['PATH'] ?? ''}` };
    const cwd = machine.directory;
    const prompt = String.raw`\#:b:d$(s=$?; ((s)) && echo " $s")> `;
    const [bash, nsh] = await Promise.all([
      NshWindow.open(tmux, { env: { ...env, PS1: prompt }, cwd, rows: 60, command: ['bash', '--norc', '--noprofile'] }),
      NshWindow.open(tmux, { env, cwd, rows: 60 }),
    ]);
    const [expected, found] = await Promise.all([transcript(bash, steps), transcript(nsh, steps)]);
    expect(found).toEqual(expected);
    await Promise.all([bash.close(), nsh.close()]);
  });
});

async function transcript(shell: NshWindow, steps: readonly Step[]): Promise<string[]> {
  const seen: string[] = [];
  for (const [line, key, shown = 'on'] of steps) {
    const { line: number } = await shell.prompt();
    await shell.type(line);
    await shell.keys('Enter');
    if (key !== undefined) {
      await shell.waitForScreen((screen) => below(screen, number).includes(shown), `${shown} below: ${line}`);
      await shell.keys(key);
    }
    const { status } = await shell.prompt(number + 1);
    const rows = below(await shell.screen(), number).filter((row) => row !== '' && row !== 'on' && row !== 'here');
    seen.push(`$ ${line}`, ...rows.map((row) => row.replaceAll(/\b\d{3,}\b/g, 'PID')), `= ${status}`);
  }
  return seen;
}

/** The rows between a line and the cursor. */
function below({ rows, cursor }: TmuxScreen, line: number): string[] {
  return rows.slice(rows.findLastIndex((row) => row.startsWith(`${line}:`)) + 1, cursor.y);
}
