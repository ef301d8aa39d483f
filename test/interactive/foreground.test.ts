/** What a line runs has the person's terminal; what becomes of it when that is taken from it, and of what is typed meanwhile. */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nshProgram } from '../e2e/nsh-program.ts';
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
afterEach(async ({ task }) => {
  await tmux.close();
  if (task.result?.state === 'fail') await nodes.endAll();
});

/** Under a shell, which says how it ended. */
const command = ['sh', '-c', '"$@"; echo "ended $?"; read a', 'sh', process.execPath, nshProgram];

async function open(): Promise<NshWindow> {
  tmux = new Tmux();
  return await another();
}

async function another(): Promise<NshWindow> {
  return await NshWindow.open(tmux, { command, env: nodes.env, cwd: nodes.directory, columns: 120 });
}

/** Types a line and waits until what it runs says so. */
async function start(shell: NshWindow, line: string, says: string): Promise<void> {
  await shell.prompt();
  await shell.type(line);
  await shell.keys('Enter');
  await shell.waitForScreen(({ rows }) => rows.includes(says), `a row that is ${says}`);
}

describe('what is typed while a line runs, and read by nobody', () => {
  it('is run behind it, line by line', async () => {
    const shell = await open();
    await start(shell, 'echo begun; sleep 2', 'begun');
    await shell.type('echo first\recho second\rsed -u s/^/got:/\rto sed\r');
    await shell.waitForScreen(({ rows }) => rows.includes('got:to sed'), 'what sed says');
    await shell.keys('C-d');
    await shell.prompt(5);
    const { rows } = await shell.screen();
    // Once as it was typed, and once where it was run.
    expect(rows.filter((row) => row === 'first' || row === 'second')).toEqual(['first', 'second']);
  });

  it('is left for Enter where a node gives it back', async () => {
    const shell = await open();
    await start(shell, '@n2 sh -c "echo begun; sleep 0.7"', 'begun');
    await shell.type('echo looxx');
    await shell.keys('BSpace', 'BSpace', 'k', 'Enter');
    // What is typed now begins another line.
    await shell.waitForScreen(
      ({ rows, cursor }) => (rows[cursor.y - 1] ?? '').endsWith('> echo look') && rows[cursor.y] === '>',
      'what was typed',
    );
    expect((await shell.screen()).rows).not.toContain('look');
    await shell.keys('Enter');
    await shell.prompt(3);
    expect((await shell.screen()).rows).toContain('look');
  });

  it('is not echoed twice while the line is being started, and Ctrl-D is the process’s end of input', async () => {
    const shell = await open();
    await shell.prompt();
    await shell.type('cat\r\u0004echo behind\r');
    const { line } = await shell.prompt(3);
    expect(line).toBe(3);
    expect((await shell.screen()).rows.filter((row) => row === 'behind')).toHaveLength(1);
  });
});

describe.each([
  ['here', ''],
  ['on a node', '@n2 '],
])('a line that is left by the detach keys, %s', (_where, at) => {
  it('is a job that runs, comes back with fg as it was, and is told when it ends', async () => {
    const shell = await open();
    await start(shell, `${at}sh -c 'echo begun; read a; echo "got $a"; read b; exit 3'`, 'begun');
    await shell.keys('C-\\', 'd');
    await shell.waitForText('takes it back');
    expect((await shell.output('jobs')).at(-1)).toMatch(/^\[1\]\+ {2}Running {17}/);
    await shell.type('fg\r');
    await shell.waitForScreen(({ rows }) => rows[0] === 'begun', 'its screen');
    await shell.type('one\r');
    await shell.waitForText('got one');
    await shell.keys('C-\\', 'd');
    await shell.waitForText('takes it back');
    await shell.prompt();
    await shell.run('clear');
    await shell.type('fg %1\r');
    await shell.waitForScreen(({ rows }) => rows[0] === 'begun' && rows.includes('got one'), 'its screen again');
    await shell.type('two\r');
    expect(await shell.prompt(6)).toMatchObject({ status: 3 });
    expect(await shell.output('jobs')).toEqual([]);
  });

  it('is told when it ends by itself, and leaves the status of the session alone', async () => {
    const shell = await open();
    const go = join(nodes.directory, `go-${performance.now()}`);
    await start(shell, `${at}sh -c 'echo begun; until [ -e ${go} ]; do sleep 0.05; done; exit 3'`, 'begun');
    await shell.keys('C-\\', 'd');
    await shell.waitForText('takes it back');
    await shell.run('(exit 7)');
    writeFileSync(go, '');
    await shell.waitForText('[1]+  Exit 3');
    expect(await shell.output('echo $?')).toEqual(['7']);
  });
});

describe('a process with pipes', () => {
  it('reads lines from the terminal until Ctrl-D, which is not the end of the session', async () => {
    const shell = await open();
    await shell.prompt();
    await shell.type('run -T -n n1 -- sed -u s/^/got:/');
    await shell.keys('Enter');
    await shell.type('a line');
    await shell.keys('Enter');
    await shell.waitForScreen(({ rows }) => rows.includes('got:a line'), 'what sed says');
    await shell.keys('C-d');
    expect(await shell.prompt(2)).toMatchObject({ status: 0 });
    expect(await shell.output('echo alive')).toEqual(['alive']);
  });

  it('that is attached to is left with Ctrl-C, by a builtin and by the program, and runs on', async () => {
    const shell = await open();
    const [pid = ''] = await shell.output("run -d -n n1 -- sh -c 'echo it is; echo there; exec sleep 1000'");
    for (const [i, line] of [`attach ${pid}`, `nsh attach ${pid}`].entries()) {
      await shell.run('clear');
      await start(shell, line, 'there');
      await shell.keys('C-c');
      expect(await shell.prompt(2 * i + 4)).toMatchObject({ status: 130 });
      await shell.waitForText(`[detached from ${pid}; nsh attach ${pid}]`);
    }
    expect(await shell.output(`kill ${pid}; wait ${pid}; echo $?`)).toEqual(['143']);
  });
});

describe('a line that is stopped', () => {
  it('gives its changes to the session when it ends, but for what has changed there since', async () => {
    const shell = await open();
    await start(shell, 'cd /etc; x=1; y=1; sh -c "echo begun; exec sleep 100"', 'begun');
    await shell.keys('C-z');
    await shell.waitForText('Stopped');
    await shell.run('x=2; z=3; cd /usr');
    await shell.type('fg\r');
    await shell.waitForScreen(({ cursor, rows }) => (rows[cursor.y - 1] ?? '').startsWith('cd /etc'), 'the line again');
    await shell.keys('C-c');
    await shell.prompt();
    expect(await shell.output('echo $x $y $z $PWD')).toEqual(['2 1 3 /usr']);
  });

  it('can be a function or a loop, is stopped as often as one likes, and goes on as a whole', async () => {
    const shell = await open();
    await start(
      shell,
      'f() { for i in 1 2; do sh -c "echo run $i; read a; echo $i-\\$a"; done; }; f; echo done',
      'run 1',
    );
    for (const number of [1, 2]) {
      await shell.keys('C-z');
      await shell.prompt(number + 1);
      await shell.type('fg\r');
      await shell.waitForScreen(({ cursor, rows }) => (rows[cursor.y - 1] ?? '').startsWith('f() {'), 'the line again');
    }
    await shell.type('a\r');
    await shell.waitForText('run 2');
    await shell.type('b\r');
    await shell.prompt(4);
    expect((await shell.screen()).rows).toEqual(expect.arrayContaining(['1-a', '2-b', 'done']));
  });

  it('and continued in the background stops again where it reads, which is told; kill -STOP is told too', async () => {
    const shell = await open();
    await start(shell, `sh -c 'echo begun; read a; echo got $a; exec sleep 100'`, 'begun');
    await shell.keys('C-z');
    await shell.prompt(2);
    await shell.run('bg');
    await shell.waitForScreen(
      ({ rows }) => rows.filter((row) => row.startsWith('[1]+  Stopped')).length === 2,
      'a second stop',
    );
    await shell.type('fg\r');
    await shell.waitForScreen(({ cursor, rows }) => (rows[cursor.y - 1] ?? '').startsWith('sh -c'), 'the line again');
    await shell.type('x\r');
    await shell.waitForScreen(({ rows }) => rows.includes('got x'), 'what was read');
    await shell.keys('C-z');
    await shell.prompt();
    await shell.run('bg; clear');
    await shell.type('kill -STOP %1\r');
    await shell.waitForText('[1]+  Stopped');
    await shell.run('clear; kill -9 %1');
    await shell.waitForText('Killed');
    expect(await shell.output('pgrep -xc sleep || echo none')).toEqual(['0', 'none']);
  });

  it('is warned of once at the end', async () => {
    const shell = await open();
    await start(shell, 'sh -c "echo begun; exec sleep 100"', 'begun');
    await shell.keys('C-z');
    await shell.prompt(2);
    await shell.type('exit 4\r');
    await shell.waitForText('There is a stopped job.');
    await shell.type('exit 4\r');
    const { rows } = await shell.waitForText('ended 4');
    expect(rows.filter((row) => row.startsWith('There is'))).toHaveLength(1);
  });
});

describe.each([
  ['here, when its window is closed', '', 'SIGHUP'],
  ['on a node, when its shell is killed', '@n2 ', 'SIGKILL'],
] as const)('a line that runs %s', (_how, at, signal) => {
  it('goes on, is seen by the next session, and is taken back there, stopped or not', async () => {
    const shell = await open();
    await shell.prompt();
    await shell.type(`${at}sh -c 'echo begun as $NSH_GPID; for i in 1 2 3; do read a; echo "got $a"; done'\r`);
    await shell.waitForScreen(({ rows }) => rows.some((row) => /^begun as \d+$/.test(row)), 'its GPID');
    const gpid = /begun as (\d+)\n/.exec((await shell.screen()).text)?.[1] ?? '';
    if (signal === 'SIGHUP') await shell.close();
    else process.kill(await childOf(shell.window.pid), 'SIGKILL');

    const next = await another();
    expect((await next.output('ps -a')).some((row) => row.trim().startsWith(`${gpid} `))).toBe(true);
    await next.run('clear');
    await next.type(`fg ${gpid}\r`);
    await next.waitForText(`begun as ${gpid}`);
    await next.type('one\r');
    await next.waitForText('got one');
    await next.keys('C-z');
    // It is a job of the new session once that has looked for such.
    await next.waitForScreen(({ text }) => /is stopped|\[\d\]\+ {2}Stopped/.test(text), 'that it has stopped');
    await next.prompt();
    await next.type(`attach ${gpid}\r`);
    await next.waitForScreen(({ rows }) => rows[0] === `begun as ${gpid}`, 'its screen');
    await next.type('two\r');
    await next.waitForText('got two');
    await next.keys('C-\\', 'd');
    await next.waitForText('detached from');
    await next.prompt();
    await next.type(`fg ${gpid}\r`);
    await next.waitForScreen(({ rows }) => rows[0] === `begun as ${gpid}` && rows.includes('got two'), 'its screen');
    await next.type('three\r');
    await next.prompt(6);
    expect((await next.screen()).rows).toContain('got three');
  });
});

/** nsh below the shell of `command`. */
async function childOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.split(' ')[0]);
}
