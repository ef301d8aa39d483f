/** Prompt, status line and news at a terminal of a person, on a cluster behind real sshd whose nodes may go. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
beforeAll(async () => {
  cluster = await startCluster({ count: 3 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(async () => {
  await cluster.stop();
});
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(async () => {
  await tmux.close();
});

describe('the prompt', () => {
  it('tells node, directory, nodes up of all, jobs and the last status', async () => {
    const shell = await NshWindow.open(tmux, {
      env: { ...cluster.env, NSH_PROMPT: undefined },
      cwd: '/usr',
      columns: 100,
    });
    await shell.waitForText('test · 3 nodes up');
    await shell.waitForScreen(({ cursorRow }) => /^localhost \/usr 3\/3 [#$]$/.test(cursorRow), 'the prompt');
    await shell.type('on n2');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => /^n2 ~ 3\/3 [#$]$/.test(cursorRow), 'the prompt of n2');
    await shell.type('cd /usr/lib; (exit 4)');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => /^n2 \/usr\/lib 3\/3 4 [#$]$/.test(cursorRow), 'the status');
    await shell.type('sleep 300 &');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => /^n2 \/usr\/lib 3\/3 1& [#$]$/.test(cursorRow), 'the job');
    expect((await shell.screen()).text).toContain('3 nodes up · 1 job');
    await shell.type('kill %1');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => /^n2 \/usr\/lib 3\/3 [#$]$/.test(cursorRow), 'no job any more');
  });

  it('is what NSH_PROMPT says, of several rows too, from the line on that sets it', async () => {
    const shell = await NshWindow.open(tmux, { env: cluster.env });
    await shell.prompt();
    await shell.type(String.raw`NSH_PROMPT='[\C \U/\M]\n\<red>\N\<>:\w? '`);
    await shell.keys('Enter');
    const screen = await shell.waitForScreen(({ cursorRow }) => cursorRow === 'localhost:/?', 'the new prompt');
    expect(screen.rows[screen.cursor.y - 1]).toMatch(/^\[test \d\/3\]$/);
    expect(screen.styleOf('localhost:/?')).toEqual(['31']);
    expect(screen.cursor.x).toBe('localhost:/? '.length);
  });
});

describe('news', () => {
  it('of a job that ended stands above the prompt, and the line that is typed is as it was', async () => {
    const shell = await NshWindow.open(tmux, { env: cluster.env });
    await shell.prompt();
    await shell.run('@n1 sleep 2 &');
    await shell.type('echo half a li');
    await shell.waitForTyped('echo half a li');
    await shell.keys('Left', 'Left');
    const atL = '2:localhost:/> echo half a '.length;
    await shell.waitForScreen(({ cursor }) => cursor.x === atL, 'the cursor in the word');
    const after = await shell.waitForScreen(
      ({ text, cursorRow }) => text.includes('Done') && cursorRow.endsWith('> echo half a li'),
      'the end of the job above the line',
    );
    expect(after.rows.find((row) => row.includes('Done'))).toMatch(/^\[1\]\+ +Done +@n1 sleep 2$/);
    expect(after.cursor.x).toBe(atL);
    await shell.type('X');
    await shell.waitForTyped('echo half a Xli');
  });

  it('of a node that goes stands there too, and in the status line', async () => {
    const shell = await NshWindow.open(tmux, { env: cluster.env, columns: 110 });
    await shell.waitForText('test · 3 nodes up');
    await shell.type('echo unfinished');
    await shell.waitForTyped('echo unfinished');
    await cluster.host('n3').stop();
    const screen = await shell.waitForScreen(
      ({ text }) => text.includes('n3 down') && text.includes('2 of 3 nodes up') && text.includes('> echo unfinished'),
      'the node is down',
      40_000,
    );
    expect(screen.rows.filter((row) => row.startsWith('n3: '))).toHaveLength(1);
    expect(screen.cursorRow).toMatch(/> echo unfinished$/);
    await shell.keys('Enter');
    await shell.waitForText('\nunfinished');
    expect(await shell.output('@n[1-2] echo up')).toEqual(expect.arrayContaining(['n1: up', 'n2: up']));
    const [gone = ''] = await shell.output('@n3 echo up', 30_000);
    expect(gone).toMatch(/^nsh: n3: /);
    expect(await shell.prompt()).toMatchObject({ status: 255 });
  }, 60_000);
});
