/** Jobs of an interactive session: they go on when it ends, however it ends, and the next one has them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDemoNodes, type DemoNodes } from './tmux/demo-nodes.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let nodes: DemoNodes;
let tmux: Tmux;
beforeAll(async () => {
  nodes = await startDemoNodes(2);
}, 60_000);
afterAll(() => nodes.stop(), 60_000);
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(async ({ task }) => {
  await tmux.close();
  if (task.result?.state === 'fail') await nodes.endAll();
});

async function open(): Promise<NshWindow> {
  const shell = await NshWindow.open(tmux, { env: nodes.env });
  await shell.prompt(1, 20_000);
  return shell;
}

/** The next one, with all that the last one has left. */
async function openAgain(jobs: number): Promise<NshWindow> {
  const shell = await NshWindow.open(tmux, { env: nodes.env });
  await shell.waitForText(`${jobs === 1 ? 'a job' : `${jobs} jobs`} of an earlier session`, 20_000);
  return shell;
}

/** As `jobs` lists them, without their PIDs. */
async function listed(shell: NshWindow): Promise<string[]> {
  return (await shell.output('jobs')).map((row) => row.replace(/ +/g, ' ').trim());
}

describe('a job in the background', () => {
  it('prints above the line that is being typed, and its end is told', async () => {
    const shell = await open();
    await shell.run("(read -t 1 <> <(:); printf '\\e]0;x\\a\\e[1;32mfrom\\e[m the job\\n') &");
    await shell.type('echo typed');
    await shell.waitForText('\nfrom the job\n');
    await shell.waitForText('Done');
    await shell.waitForTyped('echo typed');
    await shell.keys('Enter');
    expect(await shell.prompt(3)).toMatchObject({ status: 0 });
    await shell.waitForText('\ntyped\n');
  });

  it('that reads the terminal is stopped, told of, and goes on with it', async () => {
    const shell = await open();
    await shell.run('cat &');
    await shell.waitForText('Stopped');
    await shell.type('fg');
    await shell.keys('Enter');
    await shell.waitForText('fg\ncat\n');
    await shell.type('a line');
    await shell.keys('Enter');
    await shell.waitForText('a line\na line\n');
    await shell.keys('C-d');
    expect(await shell.prompt(3)).toMatchObject({ status: 0 });
    expect(await listed(shell)).toEqual([]);
  });

  it('gets every signal that kill sends to it', async () => {
    const shell = await open();
    await shell.run(`{ trap 'echo caught usr1' USR1; while :; do sleep 0.1; done; } &`);
    await shell.run('kill -USR1 %1');
    await shell.waitForText('caught usr1');
    await shell.run('kill -STOP %1');
    await shell.waitForText('Stopped');
    await shell.run('bg');
    expect((await listed(shell))[0]).toMatch(/^\[1\]\+ Running/);
    await shell.run('kill -9 %1');
    await shell.waitForText('Killed');
  });

  it('runs on when it gets several signals at once, and is terminated when it is stopped', async () => {
    const shell = await open();
    await shell.run(`{ trap 'echo caught usr1' USR1; while :; do sleep 0.1; done; } &`);
    await shell.run('kill -USR1 %1; kill -CONT %1; kill -USR1 %1; kill -WINCH %1');
    await shell.waitForText('caught usr1');
    expect((await listed(shell))[0]).toMatch(/^\[1\]\+ Running/);
    await shell.run('kill -STOP %1');
    await shell.waitForText('Stopped');
    await shell.run('kill %1');
    await shell.waitForText('[1]+  Terminated');
    expect(await listed(shell)).toEqual([]);
  });

  it('that reads the terminal is stopped, which is told in words, and a job alone continues it', async () => {
    const shell = await open();
    await shell.run('cat &');
    const { text } = await shell.waitForText('[1]+  Stopped                 cat');
    expect(text).not.toContain('?[');
    await shell.type('%1');
    await shell.keys('Enter');
    await shell.type('typed');
    await shell.keys('Enter');
    await shell.waitForText('typed\ntyped\n');
    await shell.keys('C-z');
    await shell.prompt(3);
    await shell.run('%cat &');
    await shell.waitForText('Stopped');
    await shell.run('kill -9 %1');
    await shell.waitForText('Killed');
  });

  it('is ended by a Ctrl-C as soon as fg has shown it', async () => {
    const shell = await open();
    for (let round = 0; round < 4; round++) {
      await shell.run('clear; sleep 1001 &');
      await shell.type('fg');
      await shell.keys('Enter');
      await shell.waitForText('\nsleep 1001\n');
      await shell.keys('C-c');
      expect(await shell.prompt(3 + 2 * round)).toMatchObject({ status: 130 });
    }
    expect(await listed(shell)).toEqual([]);
  });

  it('is stopped once by Ctrl-Z typed several times', async () => {
    const shell = await open();
    await shell.type('echo begun; sleep 1001');
    await shell.keys('Enter');
    await shell.waitForText('\nbegun\n');
    await shell.keys('C-z', 'C-z', 'C-z');
    expect(await shell.prompt(2)).toMatchObject({ status: 148 });
    await shell.run('kill %1');
    await shell.waitForText('Terminated');
  });

  it('is told with its number before what follows it on the line runs', async () => {
    const shell = await open();
    const rows = await shell.output('sleep 1001 & echo behind');
    expect(rows).toEqual([expect.stringMatching(/^\[1\] \d+$/), 'behind']);
    await shell.run('kill %1');
    await shell.waitForText('Terminated');
  });

  it('is waited for until Ctrl-C, and goes on', async () => {
    const shell = await open();
    await shell.run('sleep 1001 &');
    for (const [line, wait] of ['wait', 'wait %1', 'wait -n'].entries()) {
      await shell.type(`${wait}; echo not this`);
      await shell.keys('Enter');
      await shell.waitForScreen(({ rows, cursor }) => rows[cursor.y] === '', 'an empty row');
      await shell.keys('C-c');
      expect(await shell.prompt(3 + line)).toMatchObject({ status: 130 });
    }
    expect(await listed(shell)).toEqual(['[1]+ Running sleep 1001 &']);
    await shell.run('kill %1');
    await shell.waitForText('Terminated');
  });

  it('goes on when the session ends, on whichever node, and the next one has it', async () => {
    const shell = await open();
    await shell.run('sleep 1001 &');
    await shell.run('@n2 sleep 1002 &');
    await shell.run('{ sleep 1003; @n1 hostname; } &');
    await shell.type('exit');
    await shell.keys('Enter');
    await shell.window.close();
    const next = await openAgain(3);
    expect(await listed(next)).toEqual([
      '[1] Running sleep 1001 &',
      '[2]- Running @n2 sleep 1002 &',
      '[3]+ Running { sleep 1003; @n1 hostname; } &',
    ]);
    const rows = await next.output(`ps -a --sort=start_time | awk '{ $1 = $3 = $4 = "" } 1'`);
    // Behind the heading, and before this line itself.
    expect(rows.slice(1, 4).map((row) => row.replace(/ +/g, ' ').trim())).toEqual([
      'localhost sleep 1001',
      'n2 @n2 sleep 1002',
      'localhost { sleep 1003; @n1 hostname; }',
    ]);
    await next.run('kill %1 %2 %3');
    expect(await next.run('wait')).toMatchObject({ status: 0 });
    expect(await listed(next)).toEqual([]);
  });
});

describe('a process in the foreground', () => {
  it('outlives the shell that was killed, and is taken back with its screen', async () => {
    const shell = await open();
    await shell.type('vim -u NONE -n /etc/hosts');
    await shell.keys('Enter');
    await shell.waitForText('127.0.0.1');
    await shell.type('ivim is here ');
    await shell.waitForText('vim is here');
    process.kill(shell.window.pid, 'SIGKILL');
    await shell.window.close();
    const next = await openAgain(1);
    await next.type('fg');
    await next.keys('Enter');
    await next.waitForText('vim is here');
    await next.keys('Escape');
    await next.type(':q!');
    await next.keys('Enter');
    expect(await next.prompt(2)).toMatchObject({ status: 0 });
  });

  it('that is stopped is left stopped, and the next session continues it', async () => {
    const shell = await open();
    await shell.type('cat');
    await shell.keys('Enter');
    await shell.type('before');
    await shell.keys('Enter');
    await shell.waitForText('before\nbefore\n');
    await shell.keys('C-z');
    await shell.prompt(2);
    await shell.run('exit');
    await shell.type('exit');
    await shell.keys('Enter');
    await shell.window.close();
    const next = await openAgain(1);
    expect(await listed(next)).toEqual(['[1]+ Stopped cat']);
    await next.type('fg');
    await next.keys('Enter');
    await next.type('after');
    await next.keys('Enter');
    await next.waitForText('after\nafter\n');
    await next.keys('C-d');
    expect(await next.prompt(3)).toMatchObject({ status: 0 });
  });
});
