/** What becomes of line feeds between a foreground process and the person's terminal: nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemoNodes, type DemoNodes } from './tmux/demo-nodes.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let nodes: DemoNodes;
let tmux: Tmux;
let shell: NshWindow;
beforeAll(async () => {
  nodes = await startDemoNodes(1);
  tmux = new Tmux();
  shell = await NshWindow.open(tmux, { env: nodes.env, columns: 140 });
}, 60_000);
afterAll(async () => {
  await tmux.close();
  await nodes.stop();
}, 60_000);

it.each(['', '@n1 '])('of a program that has switched output processing off stays a line feed: %s', async (where) => {
  const program = String.raw`bash -c 'stty -opost; printf "abc\ndef\r\nghi\n"; stty opost; printf "jkl\nmno\n"'`;
  expect(await shell.output(`${where}${program}`)).toEqual(['abc', '   def', 'ghi', '   jkl', 'mno']);
  expect(await shell.output(`${where}seq 3`)).toEqual(['1', '2', '3']);
});

it('after a program that was killed with the terminal raw, lines begin at the left', async () => {
  await shell.run(String.raw`bash -c 'stty raw -echo; printf "abc\ndef"; kill -9 $$'`);
  expect(await shell.output('seq 2')).toEqual(['1', '2']);
});
