/** Programs that want a terminal, from the prompt, here and behind a real sshd: on the screen as when they are run directly, and the terminal is sane after them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { waitUntil } from '../e2e/wait-until.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux, type TmuxWindow } from './tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
let probe: string;
const home = (): string => join(cluster.directory, 'programs');

beforeAll(async () => {
  cluster = await startCluster({ count: 1 });
  mkdirSync(home());
  writeFileSync(
    join(home(), 'text'),
    Array.from({ length: 200 }, (_, i) => `${i + 1}: wörter ${'日本語 '.repeat(i % 4)}end\n`).join(''),
  );
  probe = join(home(), 'probe.py');
  // All that a program can switch on, and what it reads then. `q` puts everything back, `x` leaves it as it is.
  writeFileSync(
    probe,
    String.raw`import os, sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b'\x1b[?1049h\x1b[H\x1b[2J\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?25l\x1b[?1h\x1b=\x1b[5 qpid %d\r\n' % os.getpid())
while True:
    read = os.read(0, 1000)
    if read == b'x': sys.exit(9)
    if read == b'q': break
    os.write(1, repr(read).encode() + b'\r\n')
os.write(1, b'\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[?1l\x1b>\x1b[0 q\x1b[?1049l')
termios.tcsetattr(0, termios.TCSADRAIN, before)
`,
  );
  writeFileSync(
    join(home(), 'colours.py'),
    String.raw`print(''.join('\x1b[48;5;%dm \x1b[m%s' % (i, '\n' if i % 32 == 31 else '') for i in range(256)), end='')
print(''.join('\x1b[38;2;%d;%d;40m#\x1b[m' % (i * 4, 255 - i * 4) for i in range(60)))
input('\x1b[1;4mbold\x1b[m \x1b[7minverse\x1b[m > ')
`,
  );
});
afterAll(async () => {
  await cluster.stop();
});
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(async () => {
  await tmux.close();
});

const size = { columns: 90, rows: 24 };
const openShell = (): Promise<NshWindow> => NshWindow.open(tmux, { env: cluster.env, cwd: home(), ...size });
/** The program alone in a window, without any shell. */
const openDirectly = (command: string): Promise<TmuxWindow> =>
  tmux.open({ command: ['sh', '-c', `clear; ${command}`], env: cluster.env, cwd: home(), ...size });

/** Until both windows show the same, cell by cell. */
async function expectSame(far: NshWindow, near: TmuxWindow): Promise<void> {
  let [wanted, seen] = await Promise.all([near.screen(), far.screen()]);
  const isSame = async (): Promise<boolean> => {
    [wanted, seen] = await Promise.all([near.screen(), far.screen()]);
    return seen.text === wanted.text && seen.cursor.x === wanted.cursor.x && seen.cursor.y === wanted.cursor.y;
  };
  await waitUntil(isSame, 'the same as directly').catch((error: unknown) => {
    throw new Error(`${String(error)}:\n${wanted.text}\nbut\n${seen.text}`);
  });
  expect(seen.facts.isAlternate).toBe(wanted.facts.isAlternate);
  expect(seen.cells).toEqual(wanted.cells);
}

interface Program {
  readonly name: string;
  readonly command: () => string;
  readonly up: string;
  readonly keys: readonly string[];
  readonly shows: string;
  readonly quit: readonly string[];
}

const programs: readonly Program[] = [
  {
    name: 'vim',
    command: () => `vim -u NONE -N -n -c 'set number mouse=a ruler' text`,
    up: '1: wörter',
    keys: ['1', '0', '0', 'G', 'o', 'ne', 'w', 'Escape'],
    shows: 'new',
    quit: [':q!', 'Enter'],
  },
  {
    name: 'less',
    command: () => 'less -N text',
    up: '1: wörter',
    keys: ['/', '150:', 'Enter'],
    shows: '150: w',
    quit: ['q'],
  },
  {
    name: 'a test of colours',
    command: () => 'python3 colours.py',
    up: 'inverse >',
    keys: ['y', 'e', 's'],
    shows: '> yes',
    quit: ['Enter'],
  },
  {
    name: 'tmux',
    command: () => `tmux -S inner -f /dev/null new 'PS1=in: sh'`,
    up: 'in:',
    keys: ['echo $((40+2))', 'Enter'],
    shows: '42',
    quit: ['exit', 'Enter'],
  },
];

describe.each([
  ['here', ''],
  ['behind sshd', '@n1 '],
])('%s', (_where, at) => {
  // A clock in the corner, and sizes of its own: tmux is looked at, not compared.
  it.each(programs)('$name', async ({ name, command, up, keys, shows, quit }) => {
    const shell = await openShell();
    await shell.run('clear');
    const run = at === '' ? `clear; ${command()}` : `${at}sh -c "cd ${home()}; clear; LC_ALL=C.UTF-8 ${command()}"`;
    await shell.type(`${run}\r`);
    await shell.waitForText(up);
    if (name === 'tmux') {
      await shell.keys(...keys);
      await shell.waitForText(shows);
      await shell.window.resize(70, 20);
      await shell.waitForScreen(({ rows }) => (rows[19] ?? '').startsWith('[0]'), 'its status line at the new bottom');
    } else {
      const near = await openDirectly(command());
      await near.waitForText(up);
      await expectSame(shell, near);
      await shell.keys(...keys);
      await near.keys(...keys);
      await near.waitForText(shows);
      await expectSame(shell, near);
      await near.resize(60, 15);
      await shell.window.resize(60, 15);
      if (name !== 'a test of colours') await expectSame(shell, near);
      await near.close();
    }
    await shell.keys(...quit);
    await shell.prompt();
    expect((await shell.screen()).facts).toMatchObject({ isAlternate: false, isCursorShown: true });
    expect((await shell.output('echo well')).at(-1)).toBe('well');
  });

  it.each(['F10', 'q'])('htop draws, follows the size, searches, and is left by %s', async (key) => {
    const shell = await openShell();
    await shell.prompt();
    await shell.type(`${at}sh -c 'sleep 4711.25 & htop; kill $!'\r`);
    await shell.waitForScreen(({ rows, facts }) => facts.isAlternate && (rows[23] ?? '').includes('F10Quit'), 'htop');
    await shell.window.resize(100, 30);
    await shell.waitForScreen(({ rows }) => (rows[29] ?? '').includes('F10Quit'), 'its new bottom');
    await shell.keys('F4');
    await shell.type('4711.25');
    await shell.keys('Enter');
    await shell.waitForScreen(
      ({ rows }) => rows.some((row) => /^ *\d+ .* sleep 4711\.25$/.test(row)) && (rows[29] ?? '').includes('F10Quit'),
      'what is sought',
    );
    await shell.keys(key);
    expect(await shell.prompt()).toMatchObject({ status: 0 });
    expect((await shell.screen()).facts).toMatchObject({ isAlternate: false, isCursorShown: true });
    expect(await shell.output('echo well; stty -a | grep -o " echo "')).toEqual(['well', ' echo']);
  });

  it('mouse reports and pasted text reach a program as the terminal sends them', async () => {
    const shell = await openShell();
    await shell.prompt();
    await shell.type(`${at}python3 ${probe}\r`);
    await shell.waitForText('pid ');
    await shell.type('\u001b[<0;5;3M');
    await shell.waitForText(String.raw`b'\x1b[<0;5;3M'`);
    await shell.window.paste('two\nlines');
    await shell.waitForText(String.raw`b'\x1b[200~two\rlines\x1b[201~'`);
    await shell.keys('Up');
    await shell.waitForText(String.raw`b'\x1bOA'`);
    await shell.type('q');
    await shell.prompt();
    expect((await shell.screen()).facts).toMatchObject({ isAlternate: false, isCursorShown: true });
  });

  it.each([
    ['leaves it all switched on', 9],
    ['is killed', 137],
  ])('the terminal is sane after a program that %s', async (_how, status) => {
    const shell = await openShell();
    await shell.prompt();
    await shell.type(`${at}python3 ${probe}\r`);
    const { text: shown } = await shell.waitForText('pid ');
    if (status === 9) await shell.type('x');
    else await cluster.nsh(['kill', '-9', `${at === '' ? '' : 'n1.'}${/pid (\d+)/.exec(shown)?.[1] ?? ''}`]);
    expect(await shell.prompt()).toMatchObject({ status });
    expect((await shell.screen()).facts).toMatchObject({ isAlternate: false, isCursorShown: true });
    // No mouse, no keypad: a click is nothing to a line editor, and Up is history.
    await shell.keys('Up');
    await shell.waitForTyped(`${at}python3 ${probe}`.slice(0));
    await shell.keys('C-u');
    expect(await shell.output('echo well; stty -a | grep -o " echo "')).toEqual(['well', ' echo']);
  });

  it('a password is read without an echo', async () => {
    const shell = await openShell();
    await shell.prompt();
    await shell.type(`${at}python3 -c 'import getpass; print(len(getpass.getpass("Secret: ")))'\r`);
    await shell.waitForScreen(({ cursorRow }) => cursorRow === 'Secret:', 'the question');
    await shell.type('twelve chars\r');
    await shell.prompt();
    const { rows } = await shell.screen();
    expect(rows).toContain('12');
    expect(rows.join('\n')).not.toContain('twelve');
  });

  it('an interactive python is interrupted, stopped and ended', async () => {
    const shell = await openShell();
    await shell.prompt();
    await shell.type(`${at}python3 -q\r`);
    await shell.waitForText('>>>');
    await shell.type('6*7\r');
    await shell.waitForScreen(({ rows }) => rows.includes('42'), '42');
    await shell.keys('C-c');
    await shell.waitForText('KeyboardInterrupt');
    await shell.keys('C-z');
    await shell.prompt(2);
    await shell.type('fg\r');
    await shell.waitForText('python3 -q');
    await shell.type('7*7\r');
    await shell.waitForScreen(({ rows }) => rows.includes('49'), '49');
    await shell.keys('C-d');
    expect(await shell.prompt(3)).toMatchObject({ status: 0 });
  });
});
