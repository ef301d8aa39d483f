/** What a person sees when a node, or a directory on it, has gone: behind a real sshd. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
}, 60_000);
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop(), 60_000);
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(() => tmux.close());

async function open(): Promise<NshWindow> {
  const shell = await NshWindow.open(tmux, { env: cluster.env, columns: 100 });
  await shell.prompt(1, 20_000);
  return shell;
}

it('a directory that has gone on a node: it is named, nothing runs there, and here all goes on', async () => {
  const shell = await open();
  const directory = join(cluster.directory, 'gone');
  mkdirSync(directory, { recursive: true });
  await shell.run(`cd ${directory}`);
  rmdirSync(directory);
  const rows = await shell.output('@n2 echo not this');
  expect(rows.join('')).toContain(`n2: ${directory}: no such directory`);
  expect(rows).not.toContain('not this');
  expect(await shell.prompt()).toMatchObject({ status: 126 });
  await shell.run('cd /usr');
  expect(await shell.output('@n2 pwd')).toEqual(['/usr']);
});

it('a node that is lost under a program: that is told at once, and the detach keys give the prompt back', async () => {
  const shell = await open();
  await shell.type('@n2 cat');
  await shell.keys('Enter');
  await shell.type('before');
  await shell.keys('Enter');
  await shell.waitForText('before\nbefore\n');
  await cluster.host('n2').stop();
  await shell.waitForText('connection to n2 lost');
  await shell.keys('C-\\');
  await shell.keys('d');
  await shell.prompt(2, 20_000);
  // The terminal is as it was: echo, and lines that run here.
  expect(await shell.output('echo still here')).toEqual(['still here']);
  expect((await shell.output('@n2 true')).join('')).toMatch(/n2: .*refused/);
  expect(await shell.prompt()).toMatchObject({ status: 255 });
});
