/** Pipelines over several nodes in the foreground of an interactive session, typed as a person would. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { nshProgram } from '../e2e/nsh-program.ts';
import { startDemoNodes, type DemoNodes } from './tmux/demo-nodes.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let nodes: DemoNodes;
let tmux: Tmux;
let shell: NshWindow;
beforeAll(async () => {
  nodes = await startDemoNodes();
  tmux = new Tmux();
}, 60_000);
afterAll(async () => {
  await tmux.close();
  await nodes.stop();
}, 60_000);
afterEach(async ({ task }) => {
  await shell.close();
  if (task.result?.state === 'fail') await nodes.endAll();
});

async function open(): Promise<NshWindow> {
  shell = await NshWindow.open(tmux, { env: nodes.env });
  await shell.prompt(1, 20_000);
  return shell;
}

describe('the keyboard', () => {
  it('is with the stage that reads the terminal', async () => {
    await open();
    await shell.type('cat | @n2 wc -l');
    await shell.keys('Enter');
    await shell.type('one');
    await shell.keys('Enter');
    await shell.type('two');
    await shell.keys('Enter');
    await shell.waitForText('two');
    await shell.keys('C-d');
    expect(await shell.prompt(2)).toMatchObject({ status: 0 });
    await shell.waitForText('\n2\n');
  });

  it('goes to a pager on another node, and is back at the prompt', async () => {
    await open();
    await shell.type('@n1 seq 1000 | @n2 less');
    await shell.keys('Enter');
    await shell.waitForScreen((screen) => screen.rows.at(-1) === ':', 'the pager');
    await shell.keys('G');
    await shell.waitForText('1000');
    await shell.keys('q');
    expect(await shell.prompt(2)).toMatchObject({ status: 0 });
    expect(await shell.output('echo "${PIPESTATUS[@]}" back')).toEqual(['0 0 back']);
  });

  it('answers a question that an earlier stage asks on its terminal', async () => {
    await open();
    await shell.type(`@n1 bash -c 'read -rp "name: " x </dev/tty; echo "is $x"' | @n2 tr a-z A-Z`);
    await shell.keys('Enter');
    await shell.waitForText('name: ');
    await shell.type('ann');
    await shell.keys('Enter');
    await shell.waitForText('IS ANN');
    expect(await shell.prompt(2)).toMatchObject({ status: 0 });
  });
});

describe('Ctrl-C', () => {
  it('ends every stage, and what comes after it on the line is not run', async () => {
    await open();
    await shell.type('@n1 yes | @n2 cat >/dev/null; echo not this');
    await shell.keys('Enter');
    await running('yes', 1);
    await shell.keys('C-c');
    expect(await shell.prompt(2)).toMatchObject({ status: 130 });
    expect(await shell.output('echo "${PIPESTATUS[@]}"')).toEqual(['130 130']);
  });

  it('ends what runs on many nodes at once, and what comes after it on the line is not run', async () => {
    await open();
    await shell.type('@all sleep 1000; echo not this');
    await shell.keys('Enter');
    await running('sleep', 3);
    await shell.keys('C-c');
    expect(await shell.prompt(2)).toMatchObject({ status: 130 });
    expect(await states('sleep')).toEqual([]);
    expect((await shell.screen()).text).not.toMatch(/^not this/m);
  });

  it('leaves a loop that goes from node to node', async () => {
    await open();
    await shell.type('for i in 1 2 3; do @n$i sleep 1000; echo not this; done');
    await shell.keys('Enter');
    await running('sleep', 1);
    await shell.keys('C-c');
    expect(await shell.prompt(2)).toMatchObject({ status: 130 });
    expect((await shell.screen()).text).not.toMatch(/^(\^C)?not this/m);
  });

  it('ends a builtin that has nothing to write, and nothing is said of it', async () => {
    await open();
    const [pid = ''] = await shell.output("run -d -n n1 -- sh -c 'echo it is there; exec sleep 1000'");
    await shell.type(`logs -f ${pid} | cat`);
    await shell.keys('Enter');
    await shell.waitForText('\nit is there');
    await shell.keys('C-c');
    expect(await shell.prompt(3, 5_000)).toMatchObject({ status: 130 });
    expect(await shell.output('echo "${PIPESTATUS[@]}"')).toEqual(['130 130']);
    // At any moment, also where one part of the line has just ended.
    for (let line = 4; line < 14; line++) {
      await shell.type(`/bin/true; logs -f ${pid}`);
      await shell.keys('Enter');
      await delay((line - 4) * 12);
      await shell.keys('C-c');
      expect(await shell.prompt(line + 1, 5_000)).toMatchObject({ status: 130 });
    }
    expect((await shell.screen()).text).not.toContain('SIGINT');
    expect(await shell.output(`kill ${pid}; echo $?`)).toEqual(['0']);
  });

  it('does not wait for what is still under way', async () => {
    await open();
    await shell.type('@n1 yes | @n2 cat');
    await shell.keys('Enter');
    await shell.waitForText('y\ny\ny\n');
    await shell.keys('C-c');
    expect(await shell.prompt(2, 5_000)).toMatchObject({ status: 130 });
  });
});

describe('Ctrl-Z', () => {
  it('stops every stage on every node, bg continues them all, kill ends them', async () => {
    await open();
    await shell.type('@n1 yes | @n2 tr a b | @n3 tr a b >/dev/null');
    await shell.keys('Enter');
    await running('yes', 1);
    await running('tr', 2);
    await shell.keys('C-z');
    expect(await shell.prompt(2)).toMatchObject({ status: 148 });
    const stopped = await states('yes', 'tr');
    expect(stopped).toHaveLength(3);
    for (const state of stopped) expect(state).toMatch(/^T/);
    await shell.run('bg');
    expect((await states('yes', 'tr')).filter((state) => state.startsWith('T'))).toEqual([]);
    await shell.run('kill %1');
    await shell.waitForText('Terminated');
    expect(await states('yes', 'tr')).toEqual([]);
  });

  it('stops what runs on several nodes at once, and fg brings it back', async () => {
    await open();
    await shell.type('@n[1-3] sleep 1005');
    await shell.keys('Enter');
    await running('sleep', 3);
    await shell.keys('C-z');
    expect(await shell.prompt(2)).toMatchObject({ status: 148 });
    await shell.waitForText('[1]+  Stopped');
    const stopped = await states('sleep');
    expect(stopped.map((state) => state.charAt(0))).toEqual(['T', 'T', 'T']);
    await shell.type('fg');
    await shell.keys('Enter');
    await vi.waitFor(async () => expect((await states('sleep')).join('')).not.toContain('T'), { timeout: 15_000 });
    await shell.keys('C-c');
    expect(await shell.prompt(3)).toMatchObject({ status: 130 });
    expect(await states('sleep')).toEqual([]);
  });

  it('in a pager gives the prompt back, and fg the pager', async () => {
    await open();
    await shell.type('@n1 seq 1000 | less');
    await shell.keys('Enter');
    await shell.waitForScreen((screen) => screen.rows.at(-1) === ':', 'the pager');
    await shell.keys('C-z');
    await shell.prompt(2);
    expect(await shell.output('jobs')).toEqual(['[1]+  Stopped                 @n1 seq 1000 | less']);
    await shell.type('fg');
    await shell.keys('Enter');
    await shell.waitForScreen((screen) => screen.rows.at(-1) === ':', 'the pager again');
    await shell.keys('q');
    await shell.prompt(4);
    expect(await shell.output('jobs')).toEqual([]);
  });
});

/** Of the processes of these names on all nodes, as ps prints them. */
async function states(...names: string[]): Promise<string[]> {
  const env = Object.fromEntries(Object.entries(nodes.env).filter((entry) => entry[1] !== undefined));
  const argv = [nshProgram, 'ps', '-C', names.join(','), '-o', 'stat='];
  const text = await new Promise<string>((resolve) => {
    execFile(process.execPath, argv, { env }, (_error, stdout) => resolve(stdout));
  });
  return text.split('\n').flatMap((row) => (row.trim() === '' ? [] : [row.trim()]));
}

async function running(name: string, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await states(name)).toHaveLength(count), { timeout: 15_000, interval: 50 });
}
