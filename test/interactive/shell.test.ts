/** The interactive shell as a person at a terminal has it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NshTerminal } from '../e2e/nsh-terminal.ts';
import { OneMachine } from '../e2e/one-machine.ts';
import { ShellScreen } from './shell-screen.ts';

let machine: OneMachine;
const open: { close(): Promise<void> }[] = [];

beforeAll(() => {
  machine = new OneMachine();
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
afterAll(async () => {
  await machine.stop();
});

function start(
  ...args: readonly [given?: Readonly<Record<string, string>>, size?: readonly [number, number]]
): ShellScreen {
  const shell = new ShellScreen(machine, ...args);
  open.push(shell);
  return shell;
}

describe('the prompt', () => {
  it('runs a line, shows its status, and begins below output that has no line feed', async () => {
    const shell = start();
    await shell.prompt();
    await shell.run('echo hello; (exit 7)', 7);
    await shell.run('printf abc', undefined);
    expect(shell.screen.rows).toEqual(expect.arrayContaining(['hello', 'abc⏎']));
  });

  it('carries directory and variables from line to line', async () => {
    const shell = start();
    await shell.prompt();
    await shell.run('cd /usr; x=5');
    await shell.run('echo "$x in $PWD"');
    expect(shell.screen.rows).toContain('5 in /usr');
    expect(shell.screen.rows.some((row) => row.startsWith('usr>'))).toBe(true);
  });

  it('is drawn where CI is set, and without colour under NO_COLOR', async () => {
    const shell = start({ CI: 'true', NO_COLOR: '1', NSH_PROMPT: String.raw`\<red>here> ` });
    await shell.prompt();
    await shell.screen.untilText('here>');
    const row = shell.screen.rows.findIndex((text) => text.startsWith('here>'));
    expect(shell.screen.attributes(row).startsWith('0,-1,')).toBe(true);
  });

  it('loses nothing that is typed before it is drawn', async () => {
    const shell = start();
    shell.screen.type('echo early\r');
    await shell.screen.until((rows) => rows.includes('early'), 'the output of what was typed early');
    await shell.prompt();
    expect(shell.screen.rows).toContain('early');
  });

  it('asks for more while a line is unfinished, and gives it up at Ctrl-C', async () => {
    const shell = start();
    await shell.prompt();
    shell.screen.type('for i in 1 2; do\recho "n$i"\rdone\r');
    await shell.screen.until((rows) => rows.includes('n1') && rows.includes('n2'), 'the output of the loop');
    await shell.prompt();
    shell.screen.type('echo "unfinished\rmore');
    await shell.screen.untilText('> more');
    shell.screen.type('\u0003');
    await shell.run('echo again');
    expect(shell.screen.rows).toContain('again');
    expect(shell.screen.rows.some((row) => row.endsWith('more^C'))).toBe(true);
  });

  it('takes a pasted text of several lines as one, and runs nothing of it before Enter', async () => {
    const shell = start();
    await shell.prompt();
    shell.screen.type('\u001b[200~echo one\recho two\r\u001b[201~');
    await shell.screen.untilText('> echo two');
    expect(shell.screen.rows).not.toContain('one');
    shell.screen.type('\r');
    await shell.screen.until((rows) => rows.includes('one') && rows.includes('two'), 'the output');
  });

  it('stays whole when the window becomes narrower and wider again', async () => {
    const shell = start();
    await shell.prompt();
    await shell.run('echo first');
    const line = 'echo a line that is longer than a narrow window is wide, and then some more';
    shell.screen.type(line);
    await shell.screen.untilText(line.slice(0, 60));
    shell.screen.resize(30, 24);
    await shell.screen.untilText('> echo a line that is longer'.slice(0, 20));
    shell.screen.resize(80, 24);
    await shell.screen.untilText(line.slice(0, 60));
    expect(shell.screen.rows.filter((row) => row.includes('longer than'))).toHaveLength(1);
    shell.screen.type('\r');
    await shell.prompt();
  });

  it('completes, suggests and searches from the keyboard', async () => {
    const shell = start();
    await shell.prompt();
    await shell.run('echo suggested words');
    shell.screen.type('echo sug');
    await shell.screen.until(
      (rows) => rows.filter((row) => row.endsWith('echo suggested words')).length === 2,
      'the suggestion',
    );
    shell.screen.type('\u0005\r');
    await shell.prompt();
    shell.screen.type('nodes --j\t');
    await shell.screen.untilText('nodes --json');
    shell.screen.type('\u0015\u0012sugg');
    await shell.screen.untilText("(reverse-i-search)`sugg': echo suggested words");
    expect(shell.screen.cursor[0]).toBeGreaterThan(0);
    shell.screen.type('\u0003');
    await shell.prompt();
  });

  it('reads nshrc at its start, and shares its history with the next shell', async () => {
    const config = join(machine.directory, 'config');
    mkdirSync(join(config, 'nsh'), { recursive: true });
    writeFileSync(join(config, 'nsh', 'nshrc'), "alias greet='echo hello from nshrc'\n");
    const shell = start({ XDG_CONFIG_HOME: config });
    await shell.prompt();
    await shell.run('greet');
    expect(shell.screen.rows).toContain('hello from nshrc');
    const next = start({ XDG_CONFIG_HOME: config });
    await next.prompt();
    next.screen.type('\u001b[A');
    await next.screen.until((rows) => rows.some((row) => row.endsWith('> greet')), 'the line of the other shell');
  });
});

describe('a process in the foreground', () => {
  it('owns the terminal: a full-screen program comes and goes', async () => {
    const shell = start();
    await shell.prompt();
    await shell.run('echo before');
    shell.screen.type('vim -u NONE -n /etc/passwd\r');
    await shell.screen.until(() => shell.screen.isAlternate, 'vim');
    shell.screen.type(':q!\r');
    await shell.screen.until(() => !shell.screen.isAlternate, 'the end of vim');
    await shell.prompt();
    expect(shell.screen.rows).toContain('before');
  });

  it('is ended by Ctrl-C, a flood too, and the prompt is back', async () => {
    const shell = start();
    await shell.prompt();
    shell.screen.type('yes\r');
    await shell.screen.until((rows) => rows.filter((row) => row === 'y').length > 15, 'the flood');
    shell.screen.type('\u0003');
    await shell.prompt(130);
    await shell.run('echo alive');
    expect(shell.screen.rows).toContain('alive');
  });

  it('is left running by the detach keys, and taken back by attach', async () => {
    const shell = start();
    await shell.prompt();
    shell.screen.type('cat\r');
    shell.screen.type('one\r');
    await shell.screen.until((rows) => rows.filter((row) => row === 'one').length >= 2, 'what cat says');
    shell.screen.type('\u001cd');
    await shell.screen.untilText('detached from');
    await shell.prompt();
    const gpid = /detached from (\d+)/.exec(shell.screen.rows.join('\n'))?.[1] ?? '';
    // So that what is waited for is not on the screen already.
    await shell.run('clear');
    await shell.screen.until((rows) => !rows.includes('one'), 'an empty screen');
    shell.screen.type(`attach ${gpid}\r`);
    await shell.screen.until((rows) => rows.filter((row) => row === 'one').length >= 2, 'its screen');
    shell.screen.type('\u0004');
    await shell.prompt();
    expect(shell.screen.isAlternate).toBe(false);
  });

  it('is stopped by Ctrl-Z and brought back by fg, and one is warned before leaving it', async () => {
    const shell = start();
    await shell.prompt();
    shell.screen.type('vim -u NONE -n /etc/passwd\r');
    await shell.screen.until(() => shell.screen.isAlternate, 'vim');
    shell.screen.type('\u001a');
    await shell.screen.untilText(']+  Stopped');
    await shell.prompt(148);
    shell.screen.type('\u0004');
    await shell.screen.untilText('There is a stopped job.');
    await shell.prompt();
    shell.screen.type('fg\r');
    await shell.screen.until(() => shell.screen.isAlternate, 'vim again');
    shell.screen.type(':q!\r');
    await shell.prompt();
    await shell.run('jobs; echo no jobs');
    expect(shell.screen.rows.filter((row) => /^\[\d\].* vim /.test(row))).toHaveLength(1);
  });

  it('may leave the terminal raw: the editor has its keys all the same', async () => {
    const shell = start();
    await shell.prompt();
    await shell.run(String.raw`stty raw -echo; printf '\033[?1000h\033[?2004h\033[5 q'`);
    await shell.run('echo well');
    expect(shell.screen.rows).toContain('well');
  });
});

describe('without a cluster', () => {
  it('lines run all the same, and the reason is told', async () => {
    const shell = start({ NSH_CLUSTER: '/nonexistent/cluster.yaml' });
    await shell.screen.untilText('/nonexistent/cluster.yaml');
    await shell.run('echo still $((40 + 2))');
    expect(shell.screen.rows).toContain('still 42');
    await shell.run('(exit 3)', 3);
  });
});

describe('when something is killed', () => {
  it('this machine’s agent, a process in the foreground goes on', async () => {
    const shell = start();
    await shell.prompt();
    shell.screen.type('cat\rone\r');
    await shell.screen.until((rows) => rows.filter((row) => row === 'one').length >= 2, 'what cat says');
    process.kill(machine.agentPid() ?? 0, 'SIGKILL');
    shell.screen.type('two\r\u0004');
    await shell.prompt();
    expect(shell.screen.rows).toContain('two');
    await shell.run('echo back');
    expect(shell.screen.rows).toContain('back');
  });

  it('the shim, the terminal is back and the line says what is known', async () => {
    const shell = start();
    await shell.prompt();
    shell.screen.type("vim -u NONE -n -c 'set mouse=a' /etc/passwd\r");
    await shell.screen.until(() => shell.screen.isAlternate, 'vim');
    for (const pid of await machine.shimPids()) process.kill(pid, 'SIGKILL');
    await shell.screen.until(() => !shell.screen.isAlternate, 'the main screen', 60_000);
    await shell.prompt(255);
    await shell.run('echo back');
    expect(shell.screen.rows).toContain('back');
  }, 90_000);
});

describe('the end', () => {
  const terminal = (): NshTerminal => {
    const made = new NshTerminal([], { ...machine.env, NSH_PROMPT: '> ' });
    open.push(made);
    return made;
  };

  it.each([
    ['exit with a status', 'exit 7\r', 7],
    ['Ctrl-D', '\u0004', 0],
  ])('comes with %s, and the terminal is as it was found', async (_what, keys, status) => {
    const shell = terminal();
    await shell.untilShown('1 node up');
    shell.type(keys);
    expect(await shell.status()).toBe(status);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('comes with %s too, at the prompt', async (signal) => {
    const shell = new NshTerminal([], { ...machine.env, NSH_PROMPT: '> ' }, [
      'sh',
      '-c',
      'echo "pid $$"; exec "$@"',
      'sh',
      process.execPath,
      join(import.meta.dirname, '../../dist/nsh.js'),
    ]);
    open.push(shell);
    await shell.untilShown('1 node up');
    process.kill(Number(/pid (\d+)/.exec(shell.shown)?.[1]), signal);
    expect(await shell.status()).toBe(0);
  });
});
