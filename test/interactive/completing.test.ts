/** Tab at a terminal of a person, on a cluster behind real sshd: what stands in the menu comes from the nodes where the line will run. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
let shell: NshWindow;
beforeAll(async () => {
  cluster = await startCluster({ count: 3, file: { node: ({ id }) => ({ labels: id < 3 ? ['web'] : ['db'] }) } });
  const bin = join(cluster.host('n2').home, 'tools');
  await mkdir(bin);
  await writeFile(join(bin, 'only-on-n2'), '#!/bin/sh\necho it ran\n', { mode: 0o755 });
  await writeFile(join(cluster.host('n2').home, 'a file of n2.txt'), 'text of n2\n');
  // What comes first on a node starts the daemons there.
  await cluster.nsh(['run', '--all', '--', 'true']);
});
afterAll(async () => {
  await cluster.stop();
});
beforeEach(async () => {
  tmux = new Tmux();
  shell = await NshWindow.open(tmux, { env: cluster.env, columns: 100 });
  await shell.prompt();
  await shell.waitForText('test · 3 nodes up');
});
afterEach(async () => {
  await tmux.close();
});

/** What stands below the line until the status line. */
async function menuWith(...texts: readonly string[]): Promise<string[]> {
  const { rows, cursor } = await shell.waitForScreen(
    (screen) => texts.every((text) => screen.rows.slice(screen.cursor.y + 1).some((row) => row.includes(text))),
    `a menu with ${texts.join(' and ')}`,
  );
  const below = rows.slice(cursor.y + 1);
  return below.slice(
    0,
    below.findIndex((row) => row.startsWith('test · ')),
  );
}

async function erase(): Promise<void> {
  await shell.keys('C-g', 'C-e', 'C-u');
  await shell.waitForTyped('');
}

describe('commands and paths', () => {
  it('are those of the node where the line will run', async () => {
    await shell.type('@n2 cat ~/a');
    await shell.keys('Tab');
    await shell.waitForTyped(String.raw`@n2 cat ~/a\ file\ of\ n2.txt`);
    await shell.keys('Enter');
    await shell.prompt(2);
    expect((await shell.screen()).rows).toContain('text of n2');
    await shell.type('@n2 ~/tools/on');
    await shell.keys('Tab', 'Enter');
    await shell.prompt(3);
    expect((await shell.screen()).rows).toContain('it ran');
    await shell.run('on n2');
    await shell.run('cd tools');
    await shell.type('./on');
    await shell.keys('Tab');
    await shell.waitForTyped('./only-on-n2');
  });

  it('are waited for by Enter, unless Ctrl-C gives the line up', async () => {
    await shell.type('@n2 ~/tools/on');
    await shell.keys('Tab', 'Enter');
    await shell.prompt(2);
    expect((await shell.screen()).rows).toContain('it ran');
    await shell.type('@n2 cat ~/a');
    await shell.keys('Tab', 'Enter', 'C-c');
    await shell.prompt(2);
    expect((await shell.screen()).rows).not.toContain('text of n2');
  });

  it('come as a menu in which Tab, arrows and Enter choose', async () => {
    await shell.type('@n1 cat /etc/pas');
    await shell.keys('Tab');
    const menu = await menuWith('passwd-');
    expect(menu.join(' ')).toMatch(/passwd\s+passwd-/);
    await shell.waitForTyped('@n1 cat /etc/passwd');
    await shell.keys('Tab', 'Tab');
    await shell.waitForTyped('@n1 cat /etc/passwd-');
    await shell.keys('Enter');
    await shell.waitForScreen(({ text }) => !text.includes('passwd  '), 'the end of the menu');
    expect((await shell.waitForTyped('@n1 cat /etc/passwd-')).cursor.x).toBeGreaterThan(20);
  });
});

describe('nodes', () => {
  it('come behind @ with what is known of them, and nodesets and labels too', async () => {
    await shell.type('@');
    await shell.keys('Tab');
    const menu = await menuWith('n[1-3]');
    expect(menu).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^n1 +node 1, web$/),
        expect.stringMatching(/^n\[1-3\] +3 nodes$/),
        expect.stringMatching(/^all +every node/),
        expect.stringMatching(/^any +/),
        expect.stringMatching(/^@web +n\[1-2\]$/),
      ]),
    );
  });
});

describe('processes', () => {
  it.each(['kill', 'attach', 'logs', 'wait', 'fg'])('come behind %s with their command lines', async (command) => {
    const first = await cluster.start('-n', 'n1', '--', 'sleep', '1000');
    const second = await cluster.start('-n', 'n3', '--', 'sleep', '2000');
    await shell.type(`${command} `);
    await shell.keys('Tab');
    const menu = await menuWith(String(first), String(second));
    expect(menu).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^${first}  .*sleep 1000`)),
        expect.stringMatching(new RegExp(`^${second}  .*sleep 2000`)),
      ]),
    );
    await erase();
    await shell.run(`kill -KILL ${first} ${second}`);
  });
});

describe('options and more', () => {
  it('of builtins come with their descriptions, signals behind kill -', async () => {
    await shell.type('nodes --');
    await shell.keys('Tab');
    expect((await menuWith('--json')).find((row) => row.startsWith('--json'))).toMatch(/^--json +\w+/);
    await erase();
    await shell.type('kill -US');
    await shell.keys('Tab');
    expect((await menuWith('USR2')).join('\n')).toMatch(/-USR1 +signal 10\n-USR2 +signal 12/);
  });

  it('variables come behind $, jobs behind %', async () => {
    await shell.run('my_own_variable=5');
    await shell.type('echo $my_o');
    await shell.keys('Tab', 'Enter');
    await shell.prompt(3);
    expect((await shell.screen()).rows).toContain('5');
    await shell.type('echo it "runs"; sleep 300');
    await shell.keys('Enter');
    await shell.waitForText('it runs');
    await shell.keys('C-z');
    await shell.prompt(4);
    await shell.type('kill %');
    await shell.keys('Tab');
    await shell.waitForTyped('kill %1');
    await shell.keys('Enter');
    await shell.prompt(5);
  });
});

describe('a node that does not answer', () => {
  it('holds up neither the keys nor the others, and is abandoned', async () => {
    const host = cluster.host('n2');
    host.pause();
    try {
      await shell.type('@n[1-2] cat /etc/host');
      await shell.keys('Tab');
      const began = performance.now();
      await menuWith('hostname');
      expect(performance.now() - began).toBeLessThan(3_000);
      await erase();
      await shell.type('@n2 cat /etc/ho');
      await shell.keys('Tab');
      await shell.type('sts');
      await shell.waitForTyped('@n2 cat /etc/hosts', 1_500);
      await erase();
      await shell.type('@n2 cat /etc/pas');
      await shell.keys('Tab');
      await shell.keys('x');
      await shell.waitForTyped('@n2 cat /etc/pasx', 1_500);
      await erase();
    } finally {
      host.resume();
    }
    expect(await shell.output('@n2 echo back')).toEqual(['back']);
  });
});

describe('what completion leaves', () => {
  it('is no record of a process', async () => {
    await shell.type('@n2 ca');
    await shell.keys('Tab');
    await menuWith('cat');
    await erase();
    await shell.type('@n2 cat /etc/pas');
    await shell.keys('Tab');
    await menuWith('passwd');
    await erase();
    const { stdout } = await cluster.nsh(['ps', '--ended', '-a', '-o', 'pid,name,args']);
    expect(stdout).not.toContain('nsh-completion');
  });
});
