/** The harness itself: what the other tests of the interactive shell stand on. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDemoNodes, type DemoNodes } from './demo-nodes.ts';
import { NshWindow } from './nsh-window.ts';
import { Tmux } from './tmux.ts';
import { TmuxScreen } from './tmux-screen.ts';

describe('a captured screen', () => {
  it('has rows, a cursor and the colours of each character', () => {
    const screen = new TmuxScreen(
      '3 1 80 24 0 1 0 :\n\u001b[1m\u001b[31mab\u001b[39mc\u001b[0m d\n\u001b[38;5;240mé字e\n',
    );
    expect(screen.rows).toEqual(['abc d', 'é字e']);
    expect(screen.facts).toMatchObject({ cursor: { x: 3, y: 1 }, isAlternate: false, status: undefined });
    expect(screen.styleOf('ab')).toEqual(['1', '31']);
    expect(screen.styleOf('c')).toEqual(['1']);
    expect(screen.styleOf('d')).toEqual([]);
    expect(screen.styleOf('e')).toEqual(['38;5;240']);
  });
});

describe('nsh in a window', () => {
  let tmux: Tmux;
  let nodes: DemoNodes;
  beforeAll(async () => {
    nodes = await startDemoNodes(2);
  });
  afterAll(async () => {
    await nodes.stop();
  });
  afterEach(async () => {
    await tmux.close();
  });

  it('runs lines here and on a node, and tells how it ended', async () => {
    tmux = new Tmux();
    const shell = await NshWindow.open(tmux, { env: nodes.env, cwd: '/usr' });
    expect(await shell.output('pwd; (exit 3)')).toEqual(['/usr']);
    expect(await shell.prompt()).toMatchObject({ line: 2, node: 'localhost', directory: 'usr', status: 3 });
    expect(await shell.output('@n2 hostname')).toEqual(['n2']);
    await shell.window.resize(40, 10);
    await shell.window.paste('echo pasted\nexit 5');
    await shell.waitForText('> exit 5');
    expect((await shell.screen()).facts).toMatchObject({ columns: 40, height: 10 });
    await shell.keys('Enter');
    expect(await shell.window.waitForEnd()).toBe(5);
  });
});
