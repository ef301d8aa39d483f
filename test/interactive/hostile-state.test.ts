/** A node that is not what it should be gives back a session: at the prompt it is text, however it looks, and nothing of it runs. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { agentCommand } from '../hosts/cluster-file.ts';
import { sessionReport, type ReportParts } from '../session/session-report.ts';
import { waitUntil } from '../e2e/wait-until.ts';
import { NshWindow, readPrompt } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

let cluster: NshCluster;
let tmux: Tmux;
let shell: NshWindow;
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsh-bin-'));
  mkdirSync(join(directory, 'bin'));
  // n1's bash answers what stands in a file; before that, where it is asked to, what it starts with.
  const bash = `#!/bin/sh
cd ${directory}
sed -n 2p <&3 | grep -q nsh-state-2 && cat fresh >&4
cat answer >&4
echo done
: >ran
`;
  writeFileSync(join(directory, 'bin', 'bash'), bash, { mode: 0o755 });
  writeFileSync(join(directory, 'fresh'), sessionReport({}), 'latin1');
  const agent = join(directory, 'agent');
  const wrapper = `#!/bin/sh\n[ "$(uname -n)" != n1 ] || PATH=${directory}/bin:$PATH\nexec ${agentCommand} "$@"\n`;
  writeFileSync(agent, wrapper, { mode: 0o755 });
  cluster = await startCluster({ count: 1, file: { agentCommand: agent } });
}, 60_000);
afterAll(async () => {
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** One for all tests of a block: what a node has given back before is nothing to the next. */
function inOneShell(): void {
  beforeAll(async () => {
    tmux = new Tmux();
    shell = await NshWindow.open(tmux, { env: cluster.env, cwd: cluster.directory, columns: 100 });
    await shell.prompt(1);
  }, 60_000);
  afterAll(() => tmux.close());
  beforeEach(async () => {
    await shell.run(String.raw`cd; clear; x=mine; NSH_PROMPT='\#:\N:\w\{? \?\}> '`);
    // What is on the screen before stays there.
    expect(await shell.output('echo marker')).toEqual(['marker']);
  });
}

function answer(parts: ReportParts | string): void {
  const text = typeof parts === 'string' ? parts : sessionReport({ directory: `${cluster.directory}\n`, ...parts });
  writeFileSync(join(directory, 'answer'), text, 'latin1');
}

const touch = 'touch OWNED';
const escapes =
  '\u001b]0;taken\u0007\u001b]2;taken\u001b\\\u001b[2J\u001b[H\u001b[31m\u001b(0\u001b[?1049h\u009b2J\r\u0008';

/** As bash prints it in double quotes. */
function quoted(value: string): string {
  return value.replaceAll(/["\\$`]/g, String.raw`\$&`);
}

/** The screen is that of an ordinary session, and nothing of the node's was run here. */
async function expectHarmless(): Promise<void> {
  const { text, facts, cells } = await shell.screen();
  expect(text).toContain('marker');
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(facts).toMatchObject({ isAlternate: false, isCursorShown: true });
  expect(cells.flat().some(({ style }) => style.includes('31'))).toBe(false);
  expect(await shell.window.title()).not.toContain('taken');
  expect(existsSync(join(cluster.directory, 'OWNED'))).toBe(false);
}

describe('what a node gives back', () => {
  inOneShell();
  const refused = /nsh: n1: the session's state was not taken back: /;
  const dropped = /nsh: n1: dropped from the session's state: /;
  const silent = /marker/;

  /** Each thing is told once in a session. */
  let toldSoFar = '';

  it.each<[string, ReportParts | string, RegExp]>([
    ['an expansion as a value', { variables: `declare -- x="$(${touch})"\n` }, dropped],
    ['a command as a value', { variables: `declare -- y=\`${touch}\`\n` }, dropped],
    ['a command behind a value', { variables: `declare -- x="1"; ${touch}\n` }, dropped],
    [
      'prompts that run something',
      { variables: `declare -- PS1="\\$(${touch})"\ndeclare -- PS4="\\$(${touch})"\n` },
      silent,
    ],
    ['a command for each prompt', { variables: `declare -x PROMPT_COMMAND="${touch}"\n` }, silent],
    ['a name of escape sequences', { variables: `declare -- a${escapes}b="1"\n` }, dropped],
    ['a value of escape sequences', { variables: `declare -- y="${quoted(escapes)}"\n` }, silent],
    [
      'a function whose name is escape sequences',
      { functions: `f${escapes} () \n{ \n    :\n}\n`, names: `declare -f f${escapes}\n` },
      dropped,
    ],
    ['a trap for each command', { traps: `trap -- '${touch}' DEBUG\n` }, silent],
    ['a function that runs on', { functions: `f () \n{ \n    :\n}\n${touch}\n`, names: 'declare -f f\n' }, dropped],
    ['an argument of escape sequences', { lastArgument: escapes }, silent],
    ['a status of escape sequences', { status: `1${escapes}` }, refused],
    ['a status that is an expansion', { status: `$(${touch})` }, refused],
    ['a status out of range', { status: '99999999999999999999' }, refused],
    ['a value of 800 kB', { variables: `declare -- big="${'x'.repeat(800_000)}"\n` }, silent],
    ['more than a session may hold', { variables: `declare -- big="${'x'.repeat(5_000_000)}"\n` }, refused],
    ['escape sequences in place of a state', escapes.repeat(100), refused],
    ['a million fields', ['nsh-state-2', '0', '_', '', '', '1000000', 'a', ''].join('\0'), refused],
  ])('%s: the prompt, the screen and the title are as they were', async (_what, parts, told) => {
    answer(parts);
    const began = performance.now();
    await shell.run('@n1 true');
    expect(performance.now() - began).toBeLessThan(5_000);
    toldSoFar += (await shell.screen()).text;
    expect(toldSoFar).toMatch(told);
    await expectHarmless();
    expect(await shell.output('echo on; echo end')).toEqual(['on', 'end']);
    // PROMPT_COMMAND and traps would run with the next line.
    await expectHarmless();
  });

  it.each([
    ['escape sequences', `/${escapes.replaceAll(/[\r\u0008]/g, '')}dir`],
    ['a line feed and what would be a prompt', '/x\n9999:root:/# exit'],
    ['an expansion', `/$(${touch})/\`${touch}\``],
    ['4,000 characters', `/${'long/'.repeat(800)}`],
    ['bytes that are no text', '/\u00ff\u00fe\u0080'],
  ])('a directory of %s stands in the prompt as text, in one row', async (_what, path) => {
    answer({ directory: `${path}\n` });
    const { line, directory: seen } = await shell.run('@n1 true');
    const { rows, cursor } = await shell.screen();
    expect(seen).toMatch(/^[/…]./);
    expect(rows[cursor.y]).toMatch(new RegExp(`^${line}:localhost:[/…].*>$`));
    expect(rows.filter((row) => row.startsWith('9999:'))).toEqual([]);
    await expectHarmless();
    expect(await shell.run('cd')).toMatchObject({ directory: '~', status: 0 });
    expect(await shell.output('echo on')).toEqual(['on']);
  });
});

describe('a prompt that the session’s own node has set', () => {
  inOneShell();

  it.each([
    ['has expansions and escape sequences', `$(${touch})\`${touch}\`${escapes}`, '$(touch OWNED)'],
    ['is 500 kB long', 'prompt '.repeat(70_000), 'prompt prompt'],
    ['has a thousand lines', '\\n'.repeat(1000), ''],
    ['nests without an end', '\\{n'.repeat(50_000), ''],
  ])('and that %s is drawn as text, and the session can be left', async (_what, prompt, shows) => {
    answer({ variables: `declare -- NSH_PROMPT="${quoted(prompt)}"\n` });
    const began = performance.now();
    await shell.type('on n1');
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => readPrompt(cursorRow)?.node === 'n1', 'the prompt on n1');
    rmSync(join(directory, 'ran'), { force: true });
    await shell.type('true');
    await shell.keys('Enter');
    await waitUntil(() => existsSync(join(directory, 'ran')), 'n1 to answer');
    // The line below the prompt: the prompt itself may not look like one.
    await shell.waitForScreen(({ text }) => text.includes('1 node up') && text.includes(shows), 'the prompt');
    await shell.type(String.raw`on localhost; NSH_PROMPT='\#:\N:\W> '; clear`);
    await shell.keys('Enter');
    expect(await shell.prompt()).toMatchObject({ node: 'localhost' });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await shell.window.title()).not.toContain('taken');
    expect(existsSync(join(cluster.directory, 'OWNED'))).toBe(false);
  });
});
