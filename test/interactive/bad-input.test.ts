/** What a person may get wrong, and what a terminal may be sent: the shell says what is wrong and stays whole. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDemoNodes, type DemoNodes } from './tmux/demo-nodes.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let nodes: DemoNodes;
let tmux: Tmux;
beforeAll(async () => {
  nodes = await startDemoNodes(2);
});
afterAll(async () => {
  await nodes.stop();
});
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(async () => {
  await tmux.close();
});

async function open(columns = 80): Promise<NshWindow> {
  const shell = await NshWindow.open(tmux, { env: nodes.env, columns });
  await shell.prompt();
  return shell;
}

describe('a syntax error', () => {
  it.each([
    ['echo ran; echo )', ['nsh: line 1, column 16: syntax error: ', '  echo ran; echo )', '                 ^']],
    [
      'echo ran; @n2 ls | ) x',
      ['nsh: line 1, column 20: syntax error: ', '  echo ran; @n2 ls | ) x', '                     ^'],
    ],
  ])('points at its place and runs nothing: %s', async (line, [message = '', shown, caret]) => {
    const shell = await open();
    const output = await shell.output(line);
    expect(output).toEqual([expect.stringContaining(message), shown, caret]);
    expect(await shell.prompt()).toMatchObject({ status: 2 });
  });

  it('in the second of two pasted lines keeps the first from running', async () => {
    const shell = await open();
    await shell.window.paste('echo ran\nfi');
    await shell.waitForText('> fi');
    await shell.keys('Enter');
    const { rows } = await shell.waitForText('line 2, column 1: syntax error');
    expect(await shell.prompt()).toMatchObject({ status: 2 });
    expect(rows).not.toContain('ran');
  });

  it('is none where bash reads what our parser does not', async () => {
    const shell = await open();
    expect(await shell.output('time -p -- true 2>/dev/null; [[ a =~ ^(a|b)$ ]]; echo $?')).toContain('0');
  });
});

describe('a start file', () => {
  it('with a syntax error runs nothing, and the prompt comes', async () => {
    const config = join(nodes.directory, 'config');
    await mkdir(join(config, 'nsh'), { recursive: true });
    await writeFile(join(config, 'nsh', 'nshrc'), 'echo ran\n\nfi\n');
    const shell = await NshWindow.open(tmux, { env: { ...nodes.env, XDG_CONFIG_HOME: config } });
    expect(await shell.prompt()).toMatchObject({ line: 1, status: 0 });
    const { rows } = await shell.screen();
    expect(rows[0]).toMatch(/^nsh: nshrc: line 3, column 1: syntax error: /);
    expect(rows).not.toContain('ran');
  });

  it('is named where something in it fails, and the rest of it runs', async () => {
    const config = join(nodes.directory, 'config');
    await mkdir(join(config, 'nsh'), { recursive: true });
    await writeFile(join(config, 'nsh', 'nshrc'), 'x=1\ncd /nonexistent\nx=2\n');
    const shell = await NshWindow.open(tmux, { env: { ...nodes.env, XDG_CONFIG_HOME: config } });
    await shell.prompt(1);
    expect((await shell.screen()).rows[0]).toMatch(/^nshrc: line 2: cd: \/nonexistent: /);
    expect(await shell.output('echo $x $0')).toEqual(['2 bash']);
  });
});

describe('an unknown name', () => {
  it('of a node comes with those that are near', async () => {
    const shell = await open();
    expect(await shell.output('@n7 ls')).toEqual(["nsh: unknown node 'n7'; did you mean one of 'n[1-2]'?"]);
    expect(await shell.output('@localhsot ls')).toEqual(["nsh: unknown node 'localhsot'; did you mean 'localhost'?"]);
  });

  it('of a command comes with those that are near, of the node where it was to run', async () => {
    const shell = await open();
    await shell.run('hostnaem');
    await shell.waitForText("no command 'hostnaem'; did you mean 'hostname'?");
    expect(await shell.prompt()).toMatchObject({ status: 127 });
    await shell.run('@n2 hostnaem');
    await shell.waitForText("no command 'hostnaem' on 'n2'; did you mean 'hostname'?");
    await shell.run('nodse');
    await shell.waitForText("no command 'nodse'; did you mean 'nodes'");
    await shell.run('barrier x');
    await shell.waitForText("no command 'barrier'; did you mean 'nsh barrier'?");
    await shell.prompt();
  });
});

describe('bytes that are no text', () => {
  it('on the terminal leave the prompt and the keys as they were', async () => {
    const shell = await open();
    await shell.run('head -c 30000 /bin/sh; @n2 head -c 20000 /bin/sh');
    await shell.keys('C-l');
    expect(await shell.output('printf "%s\\n" whole')).toEqual(['whole']);
  });

  it('that switch the character set or hide the cursor are undone by the next prompt', async () => {
    const shell = await open();
    await shell.run(String.raw`printf '\033(0\016\033[?25l\033[?1049h\033[31;7m'`);
    const { facts, rows } = await shell.screen();
    expect(facts).toMatchObject({ isCursorShown: true, isAlternate: false });
    expect(rows.join('\n')).toContain('localhost');
    expect(await shell.output('echo qqq')).toEqual(['qqq']);
    expect((await shell.screen()).styleOf('qqq')).toEqual([]);
  });
});

describe('a line of a megabyte', () => {
  it('can be pasted, edited at both ends, and run', async () => {
    const shell = await open();
    const began = performance.now();
    await shell.window.paste(`echo ${'x'.repeat(1_000_000)}`);
    await shell.waitForScreen(({ cursorRow }) => /^x+$/.test(cursorRow), 'the end of the line');
    await shell.type('yz');
    await shell.waitForScreen(({ cursorRow }) => cursorRow.endsWith('xyz'), 'what is typed behind it');
    await shell.keys('C-a', 'M-f', 'M-f', 'C-w');
    await shell.waitForText('> echo');
    await shell.keys('C-_', 'C-e', 'BSpace');
    await shell.waitForScreen(({ cursorRow }) => cursorRow.endsWith('xy'), 'the end again');
    await shell.type(' | wc -c');
    await shell.keys('Enter');
    expect(await shell.prompt(2)).toMatchObject({ status: 0 });
    expect((await shell.screen()).rows).toContain('1000002');
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('a flood', () => {
  it.each(['yes', '@n2 yes', 'yes | cat'])('%s is stopped by Ctrl-C at once', async (line) => {
    const shell = await open();
    await shell.type(line);
    await shell.keys('Enter');
    await shell.waitForScreen(({ rows }) => rows.filter((row) => row === 'y').length > 20, 'the flood');
    const began = performance.now();
    await shell.keys('C-c');
    await shell.prompt(2);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await shell.output('echo alive')).toEqual(['alive']);
  });
});
