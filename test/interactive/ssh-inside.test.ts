/** ssh as a foreground program, from here and from a node: it asks about the host's key, and what is typed is the far shell's. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

/** To n2, of which it knows nothing. */
function sshCommand(knownHosts: string): string {
  const options = `-o UserKnownHostsFile=${knownHosts} -o StrictHostKeyChecking=ask -o HashKnownHosts=no`;
  return `ssh -F ${cluster.hosts.sshConfig} ${options} n2`;
}

describe.each([
  ['here', ''],
  ['on a node', '@n1 '],
])('ssh, %s', (where, at) => {
  it('asks about the key of the host, and has keys, size and signals of the terminal until it ends', async () => {
    const shell = await NshWindow.open(tmux, { env: cluster.env, columns: 100 });
    await shell.prompt(1);
    const before = await shell.window.stty('-a');
    const knownHosts = join(cluster.directory, `known ${where} ${performance.now()}`.replaceAll(' ', '-'));
    await shell.run(`far() { ${sshCommand(knownHosts)} "$@"; }; clear`);
    await shell.type(`${at}far`);
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => cursorRow.endsWith('(yes/no/[fingerprint])?'), 'the question');
    await shell.type('perhaps');
    await shell.keys('Enter');
    await shell.waitForText("Please type 'yes', 'no' or the fingerprint:");
    await shell.type('yes');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => /[#$]$/.test(cursorRow), 'the prompt of the far shell');
    expect(readFileSync(knownHosts, 'utf8')).toContain(cluster.host('n2').facts.hostKey);

    await says(shell, 'PS1="far> "; clear; echo up $((6*7)) on $(hostname)', 'up 42 on n2');
    await shell.type('sleep 1000');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => cursorRow === '', 'the far command');
    await shell.keys('C-c');
    await shell.waitForScreen(({ cursorRow }) => cursorRow === 'far>', 'the far prompt');
    await says(shell, 'echo status $?', 'status 130');
    await shell.type('sleep 1000');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => cursorRow === '', 'the far command');
    await shell.keys('C-z');
    await shell.waitForText('Stopped');
    await says(shell, 'kill -9 %1; wait; jobs; echo jobs end', 'jobs end');
    await shell.window.resize(70, 20);
    await says(shell, 'until [ "$(stty size)" = "20 70" ]; do sleep 0.05; done; echo resized', 'resized');

    await shell.type('exit 3');
    await shell.keys('Enter');
    expect(await shell.prompt(3)).toMatchObject({ node: 'localhost', status: 3 });
    await shell.window.resize(100, 24);
    expect(await shell.window.stty('-a')).toBe(before);
    expect(await shell.output(`${at}far hostname`)).toEqual(['n2']);
  });
});

async function says(shell: NshWindow, line: string, answer: string): Promise<void> {
  await shell.type(line);
  await shell.keys('Enter');
  await shell.waitForScreen(({ rows }) => rows.includes(answer), answer);
}
