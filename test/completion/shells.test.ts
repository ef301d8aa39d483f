/** The completion scripts in the shells themselves: bash always, zsh and fish where they are installed. A person presses Tab. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defaultShells, type ShellName } from '../../shell/completion/shells.ts';
import { Screen } from '../e2e/screen.ts';
import { nshProgram } from '../e2e/nsh-program.ts';
import { ThisMachine } from '../shell/this-machine.ts';

const machine = new ThisMachine();
const directory = mkdtempSync(join(tmpdir(), 'nsh-completion-'));
const clusterFile = join(directory, 'cluster.yaml');
let gpid = 0;
let screen: Screen | undefined;

/** `nsh` is on the PATH, and the script of each shell lies in a file. */
beforeAll(async () => {
  mkdirSync(join(directory, 'bin'));
  mkdirSync(join(directory, 'some dir'));
  const program = join(directory, 'bin/nsh');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${nshProgram}' "$@"\n`);
  chmodSync(program, 0o755);
  for (const shell of defaultShells)
    writeFileSync(join(directory, shell), execFileSync(process.execPath, [nshProgram, 'completion', shell]));
  writeFileSync(
    clusterFile,
    'cluster: lab\nnodes:\n  - {id: 1, name: "web[1-2]", labels: [gpu]}\n  - {id: 9, name: db1}\n',
  );
  gpid = await machine.start('sleep', '1000');
});
afterEach(async () => {
  await screen?.close();
  screen = undefined;
});
afterAll(async () => {
  await machine.stop();
  rmSync(directory, { recursive: true, force: true });
});

const start: Readonly<Record<ShellName, (script: string) => { words: readonly string[]; first: string }>> = {
  bash: (script) => ({ words: ['bash', '--norc', '--noprofile', '-i'], first: `. ${script}; PS1='> '` }),
  zsh: (script) => ({
    words: ['zsh', '-f', '-i'],
    first: `autoload -U compinit; compinit -u -D; . ${script}; PS1='> '; setopt no_beep`,
  }),
  fish: (script) => ({
    words: ['fish', '--no-config', '-i'],
    first: `source ${script}; function fish_prompt; echo '> '; end; set -g fish_autosuggestion_enabled 0`,
  }),
};

async function open(shell: ShellName, env: Readonly<Record<string, string | undefined>> = {}): Promise<Screen> {
  const { words, first } = start[shell](join(directory, shell));
  const path = `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`;
  // One that was started for each test: what is typed does not depend on what was typed before.
  screen = new Screen(words, { ...machine.env, PATH: path, PS1: 'not yet', ...env }, 100, 40);
  screen.type(`cd '${directory}'; ${first}; clear\r`);
  await screen.until((rows) => rows[0] === '>' && rows.slice(1).every((row) => row === ''), `the prompt of ${shell}`);
  return screen;
}

/** The line that is being typed becomes this; it may take a while. */
async function expectLine(terminal: Screen, line: string): Promise<void> {
  await terminal.until(([row]) => row === `> ${line}`, line);
}

const cluster = { NSH_CLUSTER: clusterFile };

describe.each(defaultShells)('in %s', (shell) => {
  const isThere = spawnSync(shell, ['-c', 'true']).error === undefined;

  it.skipIf(!isThere).each([
    ['nsh nodese', 'nsh nodeset'],
    ['nsh run --no-st', 'nsh run --no-stdin'],
    ['nsh kill -SIGTE', 'nsh kill -SIGTERM'],
    ['nsh agent sto', 'nsh agent stop'],
    ['nsh run -n db', 'nsh run -n db1'],
    ['nsh run --on=db', 'nsh run --on=db1'],
    ['nsh nodes @gp', 'nsh nodes @gpu'],
    ['nsh nodes db1,@gp', 'nsh nodes db1,@gpu'],
    ['nsh run -C som', 'nsh run -C some\\ dir/'],
    ['nsh run -- mkfif', 'nsh run -- mkfifo'],
    ['X=1 nsh nodese', 'X=1 nsh nodeset'],
    ['true | nsh nodese', 'true | nsh nodeset'],
  ])('%s becomes %s', async (typed, line) => {
    const terminal = await open(shell, cluster);
    terminal.type(`${typed}\t`);
    await expectLine(terminal, line);
  });

  it.skipIf(!isThere)('a cluster PID of a process that nsh runs is found', async () => {
    const terminal = await open(shell);
    terminal.type('nsh logs \t');
    await expectLine(terminal, `nsh logs ${gpid}`);
  });

  it.skipIf(!isThere)('a list tells what each option means', async () => {
    const terminal = await open(shell, cluster);
    terminal.type('nsh run --deta\t');
    await terminal.until(([row]) => row?.startsWith('> nsh run --detach') === true, 'what they have in common');
    terminal.type('\t\t');
    await terminal.until((rows) => rows.some((row) => /--detach-keys=.*keys that detach/.test(row)), 'the list');
    expect(terminal.rows.some((row) => /--detach .*leave it running/.test(row))).toBe(true);
  });
});
