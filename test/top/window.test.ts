/** `top` in an interactive shell, used as a person would: in tmux, on hosts behind real sshd. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { NshWindow } from '../interactive/tmux/nsh-window.ts';
import type { TmuxScreen } from '../interactive/tmux/tmux-screen.ts';
import { Tmux } from '../interactive/tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
let shell: NshWindow;

beforeAll(async () => {
  cluster = await startCluster({ count: 3 });
  tmux = new Tmux();
  shell = await NshWindow.open(tmux, { env: cluster.env, columns: 110, rows: 30 });
  await shell.prompt(1);
}, 60_000);
afterAll(async () => {
  await tmux.close();
  await cluster.stop();
}, 60_000);

/** The rows of processes whose command is this. */
function rowsOf(screen: TmuxScreen, command: string): string[] {
  return screen.rows.filter((row) => /^ *\d+ /.test(row) && row.endsWith(` ${command}`));
}

async function select(command: string): Promise<void> {
  await shell.keys('Escape', '/');
  await shell.type(command);
  await shell.keys('Enter', 'g');
  await shell.waitForScreen((screen) => rowsOf(screen, `* ${command}`).length === 1, `only ${command}`);
}

describe('top in the shell', () => {
  it('shows the processes of all nodes below the nodes', async () => {
    await cluster.start('-n', 'n2', '--', 'sleep', '76543');
    await cluster.start('-n', 'n1', '-t', '--', 'cat');
    await shell.type('top -d 0.5');
    await shell.keys('Enter');
    const { text, facts } = await shell.waitForScreen((screen) => {
      const nodes = ['n1', 'n2', 'n3'].every((name) => new RegExp(`${name} +\\[[^\\]]+/\\d+\\] \\[`).test(screen.text));
      return nodes && rowsOf(screen, '* sleep 76543').length === 1 && rowsOf(screen, '* cat').length === 1;
    }, 'three nodes and their processes');
    expect(facts).toMatchObject({ isAlternate: true, isCursorShown: false });
    expect(text).toMatch(/: 3 nodes, \d+ processes, .*; by CPU$/m);
  });

  it('draws a tree, and orders by what is asked for', async () => {
    await shell.keys('t', 'M');
    await shell.waitForText('; by memory, tree');
    expect((await shell.screen()).text).toContain('└─ ');
    await shell.keys('t', 'N');
    const { rows } = await shell.waitForText('; by node');
    const names = rows.flatMap((row) => /^ *\d{8} (n\d) /.exec(row)?.[1] ?? []);
    expect(names).toEqual(names.toSorted());
  });

  it('signals what is selected', async () => {
    await select('sleep 76543');
    await shell.keys('k');
    await shell.waitForText('[SIGTERM, Esc: none]:');
    await shell.keys('Enter');
    const { text } = await shell.waitForScreen((screen) => rowsOf(screen, '* sleep 76543').length === 0, 'its end');
    expect(text).toContain('SIGTERM sent to 2');
  });

  it('gives the terminal to what is selected, and comes back', async () => {
    await select('cat');
    await shell.keys('Enter');
    await shell.waitForScreen((screen) => !screen.text.includes('nsh top'), 'the process');
    await shell.type('hello');
    await shell.keys('Enter');
    await shell.waitForScreen((screen) => screen.rowsWith('hello').length === 2, 'what was typed and what came back');
    await shell.keys('C-\\', 'd');
    const back = await shell.waitForText('back from 1');
    expect(rowsOf(back, '* cat')).toHaveLength(1);
    expect(back.facts.isAlternate).toBe(true);
  });

  it.each([
    [30, 8],
    [200, 60],
    [110, 30],
  ])('fits a window of %d columns and %d rows', async (columns, rows) => {
    await shell.window.resize(columns, rows);
    const screen = await shell.waitForScreen(
      ({ facts, text }) =>
        facts.columns === columns && facts.height === rows && /^nsh top .*\n(?:.*\n)*.*cat/.test(text),
      'the process in a window of that size',
    );
    expect(screen.rowsWith('nsh top')).toEqual([0]);
  });

  it('says which node is lost, and goes on with the others', async () => {
    await shell.keys('Escape');
    await cluster.host('n3').stop();
    const { text } = await shell.waitForScreen(
      (screen) => /^n3 +down: /m.test(screen.text) && screen.text.includes(': 2 of 3 nodes up, '),
      'the loss',
    );
    expect(text).not.toMatch(/^ *3\d{7} n3 /m);
  });

  it('ends, and the shell goes on below what was there', async () => {
    await shell.keys('q');
    expect(await shell.prompt(2)).toMatchObject({ status: 0 });
    const { text, facts } = await shell.screen();
    expect(facts).toMatchObject({ isAlternate: false, isCursorShown: true });
    expect(text).toContain('[detached from 1');
    expect(text).not.toContain('nsh top');
  });
});
