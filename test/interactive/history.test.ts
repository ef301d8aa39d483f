/** The history as people at two terminals have it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDemoNodes, type DemoNodes } from './tmux/demo-nodes.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let nodes: DemoNodes;
let tmux: Tmux;
let env: DemoNodes['env'];
beforeAll(async () => {
  nodes = await startDemoNodes(1);
});
afterAll(async () => {
  await nodes.stop();
});
let tests = 0;
beforeEach(() => {
  tmux = new Tmux();
  env = { ...nodes.env, NSH_HISTORY: join(nodes.directory, `history${++tests}`) };
});
afterEach(async () => {
  await tmux.close();
});

async function open(): Promise<NshWindow> {
  const shell = await NshWindow.open(tmux, { env, cwd: '/usr' });
  await shell.prompt();
  return shell;
}

interface Row {
  readonly l?: string;
  readonly n?: string;
  readonly d?: string;
  readonly t?: number;
  readonly x?: number;
  readonly ms?: number;
}

function kept(): Row[] {
  const path = env['NSH_HISTORY'] ?? '';
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Row);
}

describe('a line that is run', () => {
  it('is in the other session at once, while it still runs', async () => {
    const [first, second] = [await open(), await open()];
    await first.type('echo from the first; sleep 300');
    await first.keys('Enter');
    await first.waitForScreen(({ rows }) => rows.includes('from the first'), 'the line runs');
    await second.run('true');
    await second.keys('Up', 'Up');
    await second.waitForTyped('echo from the first; sleep 300');
    await second.keys('C-c');
    await first.keys('C-c');
    expect(await first.prompt(2)).toMatchObject({ status: 130 });
  });

  it('is kept with its node, directory, time, duration and status', async () => {
    const before = Date.now();
    const shell = await open();
    await shell.run('cd /usr/lib');
    await shell.run('@n1 sh -c "exit 3"');
    await shell.run('on n1');
    await shell.run('cd /tmp; false');
    await shell.run('true');
    const entries = kept().filter(({ l }) => l !== undefined);
    expect(entries.map(({ l, n, d }) => [l, n, d])).toEqual([
      ['cd /usr/lib', 'localhost', '/usr'],
      ['@n1 sh -c "exit 3"', 'localhost', '/usr/lib'],
      ['on n1', 'localhost', '/usr/lib'],
      ['cd /tmp; false', 'n1', '/usr/lib'],
      ['true', 'n1', '/tmp'],
    ]);
    expect(kept().flatMap(({ x }) => (x === undefined ? [] : [x]))).toEqual([0, 3, 0, 1, 0]);
    expect(kept().every(({ t, ms }) => (t === undefined ? (ms ?? -1) >= 0 : t >= before))).toBe(true);
  });

  it('is not kept where it begins with a blank', async () => {
    const shell = await open();
    await shell.run('echo kept');
    await shell.run(' echo secret');
    await shell.run('history');
    const { rows } = await shell.screen();
    expect(rows.filter((row) => /^ +\d+ {2}/.test(row))).toEqual([' 1  echo kept', ' 2  history']);
    expect(JSON.stringify(kept())).not.toContain('secret');
  });
});

describe('Ctrl-R', () => {
  it('finds lines of all sessions as one types, goes on to older ones, and Enter runs what is found', async () => {
    const [first, second] = [await open(), await open()];
    await first.run('echo alpha one');
    await second.run('echo alpha two');
    await first.run('echo beta');
    await second.keys('C-r');
    await second.type('alp');
    await second.waitForText("`alp': echo alpha two");
    await second.keys('C-r');
    await second.waitForText("`alp': echo alpha one");
    await second.keys('Enter');
    await second.prompt(3);
    expect((await second.screen()).rows).toContain('alpha one');
    await second.keys('C-r');
    await second.type('no such line');
    await second.waitForText('failed');
    await second.keys('C-g');
    expect((await second.waitForTyped('')).cursorRow).toMatch(/^3:/);
  });
});
