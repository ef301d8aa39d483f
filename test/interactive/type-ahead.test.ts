/** What a person types while something runs that does not read it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDemoNodes, type DemoNodes } from './tmux/demo-nodes.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let nodes: DemoNodes;
let tmux: Tmux;
let shell: NshWindow;
beforeAll(async () => {
  nodes = await startDemoNodes(1);
});
afterAll(async () => {
  await nodes.stop();
});
beforeEach(async () => {
  tmux = new Tmux();
  shell = await NshWindow.open(tmux, { env: nodes.env });
  await shell.prompt();
});
afterEach(async () => {
  await tmux.close();
});

describe('what is typed while a line runs', () => {
  beforeEach(async () => {
    await shell.type('sh -c "echo up; sleep 1"');
  });

  async function typeAhead(): Promise<void> {
    await shell.keys('Enter');
    await shell.waitForText('\nup');
    await shell.type('echo ähead; echo two');
    await shell.keys('Enter');
  }

  it('is the next line where that does not read it', async () => {
    await typeAhead();
    await shell.prompt(3);
    const { rows } = await shell.screen();
    expect(rows).toContain('ähead');
    expect(rows).toContain('two');
  });

  it('is there to be run where a node gives it back', async () => {
    await shell.keys('C-a');
    await shell.type('@n1 ');
    await typeAhead();
    await shell.type('echo half');
    const { rows } = await shell.waitForScreen(({ cursorRow }) => cursorRow === '> echo half', 'what was typed');
    expect(rows.some((row) => row.endsWith('> echo ähead; echo two'))).toBe(true);
    expect(rows).not.toContain('two');
  });
});

describe('what is typed at any moment', () => {
  it('is run, to the last character, also where a line is about to end', async () => {
    const count = 15;
    const lines = Array.from({ length: count }, (_, i) => `sleep 0.0${4 + (i % 6)} && : $((n+=1))\r`).join('');
    // In pieces of another length than the lines have, so that they are cut everywhere.
    for (let at = 0, piece = 1; at < lines.length; at += piece, piece = (piece % 11) + 1)
      await shell.type(lines.slice(at, at + piece));
    await shell.prompt(count + 1, 30_000);
    expect(await shell.output('echo $n')).toEqual([String(count)]);
  }, 60_000);
});

describe('what a program reads', () => {
  it('is not given back where nobody reads what it writes', async () => {
    await shell.type('cat | @n1 head -n 1');
    await shell.keys('Enter');
    await shell.type('read by head');
    await shell.keys('Enter');
    await shell.waitForText('read by head\nread by head\n');
    await shell.type('echo read by cat');
    await shell.keys('Enter');
    await shell.prompt(2);
    expect(await shell.output('echo ${PIPESTATUS[@]}')).toEqual(['141 0']);
    expect((await shell.screen()).rows).not.toContain('read by cat');
  });

  it('is that of the program where it reads', async () => {
    await shell.type('sh -c "echo up; sleep 0.5; read -r a; echo got \\$a"');
    await shell.keys('Enter');
    await shell.waitForText('\nup');
    await shell.type('for the program');
    await shell.keys('Enter');
    await shell.type('echo for the shell');
    await shell.keys('Enter');
    await shell.prompt(3);
    const { rows } = await shell.screen();
    // It may answer while the next line is being typed.
    expect(rows.some((row) => row.endsWith('got for the program'))).toBe(true);
    expect(rows).toContain('for the shell');
  });
});
