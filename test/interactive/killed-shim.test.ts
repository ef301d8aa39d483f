/** What a person sees when the shim of what runs in the foreground is killed: nobody can know any more how that ends. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
beforeAll(async () => {
  cluster = await startCluster({ count: 1 });
}, 60_000);
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop(), 60_000);
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(() => tmux.close());

/** SIGKILL, by the PID that its agent tells. @returns that PID. */
async function killShim(node: string): Promise<number> {
  const shim = (await cluster.agents()).find((row) => row.node === node)?.shims[0]?.lpid;
  if (shim === undefined) throw new Error(`${node} has no shim`);
  if (node === 'localhost') process.kill(shim, 'SIGKILL');
  else cluster.host(node).kill(shim, 'SIGKILL');
  return shim;
}

/** All that a program may leave a terminal in. */
const spoiling = String.raw`printf "\033[?1049h\033[?25l\033[?1000h\033[31mup"; stty raw -echo; exec cat`;

describe.each([
  ['here', '', 'localhost'],
  ['on a node', '@n1 ', 'n1'],
])('the shim of a foreground program that is killed, %s', (_where, at, node) => {
  it('is named at once, the prompt is back, the terminal is as it was, and lines run', async () => {
    const shell = await NshWindow.open(tmux, { env: cluster.env, columns: 160 });
    await shell.prompt(1);
    const before = await shell.window.stty('-a');
    await shell.run(`${at}true`);
    await shell.type(`${at}sh -c '${spoiling}'`);
    await shell.keys('Enter');
    await shell.waitForScreen(({ facts, rows }) => facts.isAlternate && rows.includes('up'), 'the program');
    const shim = await killShim(node);
    // Without a load it takes less than a second; nothing waits for a deadline of minutes.
    await shell.prompt(3, 15_000);
    const { facts, text } = await shell.screen();
    expect(text).toMatch(
      new RegExp(
        `nsh: ${node}: process \\d+ ended, and its exit status is not known: its shim \\(PID ${shim}\\) was killed`,
      ),
    );
    expect(facts).toMatchObject({ isAlternate: false, isCursorShown: true });
    expect(await shell.window.stty('-a')).toBe(before);
    expect(await shell.prompt()).toMatchObject({ status: 255 });
    expect(await shell.output('echo on')).toEqual(['on']);
    expect(await shell.output(`${at}sh -c 'echo there; stty -a | grep -o " echo "'`)).toEqual(['there', ' echo']);
  });

  it('is told of where it is one stage of a pipeline, and the other one ends as if that had closed its input', async () => {
    const shell = await NshWindow.open(tmux, { env: cluster.env, columns: 200 });
    await shell.prompt(1);
    const line = at === '' ? '@n1 cat | cat' : 'cat | @n1 cat';
    await shell.type(line);
    await shell.keys('Enter');
    await shell.type('through');
    await shell.keys('Enter');
    await shell.waitForText('through\nthrough');
    const shim = await killShim(node);
    await shell.waitForText(`its shim (PID ${shim}) was killed`);
    // As in bash, the first stage learns of it when it writes.
    await shell.type('nobody reads this');
    await shell.keys('Enter');
    await shell.prompt(2, 10_000);
    // Each line stands at the left, and what was typed for that program is nobody else's.
    const { rows } = await shell.screen();
    const told = rows.findIndex((row) => row.startsWith('nsh: '));
    expect(rows.slice(told + 1, told + 3)).toEqual(['nobody reads this', expect.stringMatching(/^2:/)]);
    expect(await shell.output('echo ${PIPESTATUS[@]}')).toEqual(['141 255']);
  });
});
