/** The line editor at a terminal of a person: what is typed, where the cursor stands, how it looks. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OneMachine } from '../e2e/one-machine.ts';
import { NshWindow, type NshWindowOptions } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let machine: OneMachine;
let tmux: Tmux;
beforeAll(() => {
  machine = new OneMachine();
});
afterAll(async () => {
  await machine.stop();
});
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(async () => {
  await tmux.close();
});

async function open(options: Partial<NshWindowOptions> = {}): Promise<NshWindow> {
  const shell = await NshWindow.open(tmux, { ...options, env: { ...machine.env, HISTFILE: '', ...options.env } });
  await shell.prompt();
  return shell;
}

/** Width of `1:localhost:/> `. */
const promptWidth = 15;

describe('emacs keys', () => {
  it('move by words, kill, yank, transpose and undo', async () => {
    const shell = await open();
    await shell.type('echo alpha beta gamma');
    await shell.waitForTyped('echo alpha beta gamma');
    await shell.keys('M-b', 'M-b', 'M-d');
    await shell.waitForTyped('echo alpha  gamma');
    await shell.keys('C-e', 'Space', 'C-y');
    await shell.waitForTyped('echo alpha  gamma beta');
    await shell.keys('C-w', 'C-a', 'C-k');
    await shell.waitForTyped('');
    await shell.keys('C-y', 'M-y');
    await shell.waitForTyped('beta');
    await shell.keys('C-_', 'C-_', 'C-_', 'C-_');
    await shell.waitForTyped('echo alpha  gamma beta');
    await shell.keys('C-a', 'M-f', 'M-f', 'C-t');
    await shell.waitForTyped('echo alph a gamma beta');
    await shell.keys('C-u');
    await shell.waitForTyped(' gamma beta');
    await shell.keys('C-c');
    expect(await shell.prompt()).toMatchObject({ line: 1 });
  });
});

describe('vi keys', () => {
  it('are there from `set -o vi` on, and gone with `set -o emacs`', async () => {
    const shell = await open();
    await shell.run('set -o vi');
    await shell.type('echo one two three');
    await shell.keys('Escape');
    await shell.type('bbdw');
    await shell.waitForTyped('echo one three');
    await shell.type('$p');
    await shell.waitForTyped('echo one threetwo');
    await shell.type('0cwprintf');
    await shell.keys('Escape');
    await shell.waitForTyped('printf one threetwo');
    await shell.type('u');
    await shell.waitForTyped('echo one threetwo');
    await shell.keys('Enter');
    await shell.waitForText('one threetwo');
    await shell.run('set -o emacs');
    await shell.type('echo x');
    await shell.keys('C-a', 'C-k');
    expect((await shell.waitForTyped('')).cursor.x).toBe(promptWidth);
  });

  it('are there from the first line on where nshrc asks for them', async () => {
    const config = join(machine.directory, 'vi-config');
    mkdirSync(join(config, 'nsh'), { recursive: true });
    writeFileSync(join(config, 'nsh', 'nshrc'), 'set -o vi\n');
    const shell = await open({ env: { XDG_CONFIG_HOME: config } });
    await shell.type('echo abc');
    await shell.keys('Escape');
    await shell.type('0x');
    expect((await shell.waitForTyped('cho abc')).cursor.x).toBe(promptWidth);
  });
});

describe('a text of several lines', () => {
  it('is asked for while it is unfinished, walked through by arrows, and mended in its first line', async () => {
    const shell = await open();
    await shell.type('for i in 1 2; do');
    await shell.keys('Enter');
    await shell.type('echo "got $i"');
    await shell.keys('Enter');
    await shell.type('done');
    await shell.waitForScreen(({ rows, cursor }) => rows[cursor.y] === '> done', 'the third line');
    await shell.keys('Up', 'Up', 'C-e', 'M-b', 'M-b');
    await shell.type('0 ');
    await shell.waitForText('for i in 1 0 2; do');
    await shell.keys('M->', 'Enter');
    const { rows } = await shell.waitForText('got 2');
    expect(rows.filter((row) => row.startsWith('got '))).toEqual(['got 1', 'got 0', 'got 2']);
  });
});

describe('characters that are not one cell wide', () => {
  it.each([
    ['wide ones', '漢字かな'],
    ['combining ones', 'e\u0301a\u0308n\u0303'],
    ['emoji', '😀🎉'],
    ['a mixture', 'añ漢e\u0301😀z'],
  ])('%s: the cursor stands where tmux puts it', async (_what, text) => {
    const shell = await open();
    const width = await tmux.widthOf(text);
    await shell.type(`${text}|`);
    await shell.waitForScreen(({ cursor }) => cursor.x === promptWidth + width + 1, 'the cursor behind the text');
    await shell.keys('Left');
    await shell.waitForScreen(({ cursor }) => cursor.x === promptWidth + width, 'the cursor on the bar');
    const last = Array.from(new Intl.Segmenter('en').segment(text)).at(-1)?.segment ?? '';
    await shell.keys('Left');
    const before = width - (await tmux.widthOf(last));
    await shell.waitForScreen(({ cursor }) => cursor.x === promptWidth + before, 'the cursor on the last character');
    await shell.keys('C-d');
    const { cursorRow } = await shell.waitForScreen(({ rows }) => !rows.join('').includes(last), 'it is deleted');
    expect(cursorRow.endsWith(`${text.slice(0, -last.length)}|`)).toBe(true);
  });

  it('a wide one that does not fit the end of a row goes to the next', async () => {
    const shell = await open({ columns: 40 });
    await shell.type(`${'x'.repeat(40 - promptWidth - 1)}漢!`);
    const { rows, cursor } = await shell.waitForText('漢');
    expect(rows[1]).toBe('漢!');
    expect(cursor).toEqual({ x: 3, y: 1 });
  });
});

describe('a long line', () => {
  it('takes as many rows as it needs, and the cursor goes through them', async () => {
    const shell = await open({ columns: 50, rows: 12 });
    const text = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
    await shell.type(`echo ${text}`);
    await shell.waitForText('word29');
    await shell.keys('C-a');
    await shell.waitForScreen(
      ({ cursor }) => cursor.y === 0 && cursor.x === promptWidth,
      'the cursor at the beginning',
    );
    await shell.keys('C-e');
    const at = promptWidth + text.length + 5;
    await shell.waitForScreen(({ cursor }) => cursor.y === Math.floor(at / 50), 'the cursor at the end');
    const { cursor } = await shell.screen();
    expect(cursor).toEqual({ x: at % 50, y: Math.floor(at / 50) });
  });

  it('that is longer than the screen shows the part around the cursor, and leaves what was above it', async () => {
    const shell = await open({ columns: 40, rows: 10 });
    await shell.run('echo kept above');
    await shell.window.paste(`echo begin ${'m '.repeat(400)}end`);
    await shell.waitForText('end');
    await shell.keys('C-a');
    await shell.waitForText('echo begin');
    await shell.keys('C-c');
    await shell.prompt();
    expect(await shell.window.scrollback()).toContain('kept above');
  });

  it('is drawn anew when the window is resized while it is typed', async () => {
    const shell = await open({ columns: 60 });
    // Nothing else is drawn from now on: tmux has the new size before the program can know of it.
    await shell.waitForText('1 node up');
    await shell.type('echo one two three four five six seven eight nine ten');
    await shell.waitForText('nine ten');
    await shell.window.resize(30, 24);
    await shell.waitForScreen(({ facts }) => facts.columns === 30, 'the narrow window');
    await shell.type(' 11');
    await shell.waitForText('ten 11');
    await shell.window.resize(90, 20);
    await shell.type(' 12');
    const { rows } = await shell.waitForText('ten 11 12');
    expect(rows.filter((row) => row.includes('echo one'))).toHaveLength(1);
    await shell.keys('Enter');
    await shell.prompt(2);
    expect((await shell.screen()).rows).toContain('one two three four five six seven eight nine ten 11 12');
  });
});

describe('what is pasted', () => {
  it('runs nothing before Enter, and is one entry', async () => {
    const shell = await open();
    await shell.window.paste('echo first\necho second\n');
    await shell.waitForText('> echo second');
    expect((await shell.screen()).rows).not.toContain('first');
    await shell.keys('Enter');
    const { rows } = await shell.waitForText('\nsecond');
    expect(rows).toContain('first');
    await shell.keys('Up');
    await shell.waitForScreen(({ text }) => text.split('echo first').length === 3, 'both lines from the history');
  });
});

describe('how a line looks', () => {
  it('tells builtins of nsh, commands, unknown commands, nodes and unknown nodes apart', async () => {
    const shell = await open();
    await shell.run(':');
    await shell.type('ps; ls; nosuchcmd; @localhost uname; @nosuch ls');
    const screen = await shell.waitForScreen(
      (each) => each.text.includes('@nosuch') && each.styleOf('nosuchcmd').join() === '31',
      'an unknown command in red',
    );
    expect(screen.styleOf('ps;')).toEqual(['1', '36']);
    expect(screen.styleOf('ls;')).toEqual(['32']);
    expect(screen.styleOf('@localhost')).toEqual(['1', '35']);
    expect(screen.styleOf('@nosuch')).toEqual(['31', '4']);
  });

  it('offers the newest line that begins so in grey, and → takes it', async () => {
    const shell = await open();
    await shell.run('echo a suggested line');
    await shell.type('echo a s');
    const screen = await shell.waitForTyped('echo a suggested line');
    expect(screen.styleOf('uggested line')).toEqual(['90']);
    expect(screen.cursor.x).toBe(promptWidth + 'echo a s'.length);
    await shell.keys('Right');
    const taken = await shell.waitForScreen(({ cursor }) => cursor.x > promptWidth + 20, 'the cursor at its end');
    expect(taken.styleOf('uggested line')).toEqual([]);
  });
});
