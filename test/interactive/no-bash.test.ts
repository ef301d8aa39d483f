/** A node that has no bash, at the prompt: sh runs what is meant for it, on a terminal, with its keys. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { withoutBash, type AgentWithoutBash } from '../e2e/without-bash.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
let agent: AgentWithoutBash;
beforeAll(async () => {
  agent = await withoutBash('n1');
  cluster = await startCluster({ count: 1, file: { agentCommand: agent.agentCommand } });
}, 60_000);
afterAll(async () => {
  await cluster.stop();
  await agent.remove();
}, 60_000);
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(() => tmux.close());

async function open(): Promise<NshWindow> {
  const shell = await NshWindow.open(tmux, { env: cluster.env, cwd: '/usr', columns: 120 });
  await shell.prompt(1);
  return shell;
}

const notice =
  'nsh: n1: there is no bash: sh runs this, and has of the session only the directory and exported variables';

it('says so once, and runs lines on a terminal there', async () => {
  const shell = await open();
  await shell.run('cd /etc');
  const rows = await shell.output('@n1 sh -c "tty; stty size; pwd; printenv TERM"');
  expect(rows).toEqual([notice, expect.stringMatching(/^\/dev\/pts\/\d+$/), '24 120', '/etc', 'tmux-256color']);
  expect(await shell.output('export x="a b"; @n1 echo "$x $PWD"')).toEqual(['a b /etc']);
  expect(await shell.run('@n1 exit 3')).toMatchObject({ status: 3, node: 'localhost' });
  await shell.run('clear; on n1');
  expect(await shell.prompt()).toMatchObject({ node: 'n1' });
  expect(await shell.output('printenv NSH_NODE; cd /; echo $PWD')).toEqual(['1', '/']);
  expect((await shell.screen()).text).not.toContain('there is no bash');
});

it('Ctrl-C ends what runs there, and what is typed behind it is for the next reader', async () => {
  const shell = await open();
  const before = await shell.window.stty('-a');
  await shell.run('clear; @n1 true');
  await shell.type(`@n1 sh -c 'echo up; stty -echo; exec sleep 1000'`);
  await shell.keys('Enter');
  await shell.waitForScreen(({ rows }) => rows.includes('up'), 'the program');
  await shell.keys('C-c');
  expect(await shell.prompt(3)).toMatchObject({ status: 130 });
  expect(await shell.window.stty('-a')).toBe(before);
  await shell.type(`@n1 sh -c 'echo up again; sleep 0.5'`);
  await shell.keys('Enter');
  await shell.waitForScreen(({ rows }) => rows.includes('up again'), 'the program');
  await shell.type('echo ahead');
  await shell.waitForTyped('echo ahead');
  await shell.keys('Enter');
  expect(await shell.output('true')).toEqual([]);
  expect((await shell.screen()).rows).toContain('ahead');
});

it('Ctrl-Z stops what runs there, fg goes on with it, and the detach keys leave it', async () => {
  const shell = await open();
  await shell.run('clear; @n1 true');
  await shell.type(`@n1 sh -c 'echo up; while read -r line; do echo "got $line"; done'`);
  await shell.keys('Enter');
  await shell.waitForScreen(({ rows }) => rows.includes('up'), 'the program');
  await shell.keys('C-z');
  await shell.waitForText('Stopped');
  expect(await shell.prompt(3)).toMatchObject({ status: 148 });
  await shell.type('fg');
  await shell.keys('Enter');
  await shell.type('one');
  await shell.keys('Enter');
  await shell.waitForText('got one');
  await shell.keys('C-\\', 'd');
  await shell.waitForText('takes it back');
  await shell.prompt(4);
  await shell.run('clear');
  await shell.type('fg');
  await shell.keys('Enter');
  await shell.waitForScreen(({ rows }) => rows.includes('got one'), 'its screen');
  await shell.keys('C-d');
  expect(await shell.prompt(6)).toMatchObject({ status: 0 });
});

it('what is stopped goes on in the background until it reads the terminal, and is ended by kill', async () => {
  const shell = await open();
  await shell.run('clear; @n1 true');
  await shell.type(`@n1 sh -c 'echo up; read -r line; echo "got $line"; exec sleep 1000'`);
  await shell.keys('Enter');
  await shell.waitForScreen(({ rows }) => rows.includes('up'), 'the program');
  await shell.keys('C-z');
  await shell.prompt(3);
  await shell.run('clear');
  await shell.run('bg');
  await shell.waitForText('Stopped');
  await shell.type('fg');
  await shell.keys('Enter');
  await shell.type('two');
  await shell.keys('Enter');
  await shell.waitForText('got two');
  await shell.keys('C-z');
  await shell.prompt(6);
  await shell.run('kill %1');
  await shell.waitForText('Terminated');
  expect(await shell.output('jobs')).toEqual([]);
});
