/** What `nsh __complete` says to the scripts. What comes of it in the shells: shells.test.ts. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completionCommand } from '../../shell/commands/completion.ts';
import { completeCommand } from '../../shell/completion/one-shot.ts';
import { defaultShells } from '../../shell/completion/shells.ts';
import type { ClusterSpec } from '../../src/cluster/node-spec.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import { runCommand } from '../shell/run-command.ts';

const spec: ClusterSpec = {
  cluster: 'lab',
  agentCommand: 'nsh-agent',
  nodes: ['web1', 'web2', 'db1'].map((name, i) => ({ id: nodeId(i + 1), name, labels: i < 2 ? ['gpu'] : [] })),
};
const breaks = ' \t\n"\'@><=;|&(:';

async function said(shell: string, line: string, around: { spec?: ClusterSpec } = { spec }): Promise<string[]> {
  const { stdout, stderr, status } = await runCommand(completeCommand, [shell, line, breaks], around);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').slice(0, -1);
}

describe('__complete', () => {
  it.each([
    ['nsh nodese', 'bash', ['words', 'nodeset\t\texpand, fold and count sets of nodes']],
    ['cd; X=1 /usr/bin/nsh nodese', 'bash', ['words', 'nodeset\t\texpand, fold and count sets of nodes']],
    ['nsh run --directory=', 'bash', ['directories']],
    ['nsh --cluster=/et', 'fish', ['files']],
    ['nsh run make', 'zsh', ['commands']],
    ['nsh run cat /et', 'zsh', ['files']],
    ['nsh run --on=we', 'bash', ['words', 'web1\t\tnode 1, gpu', 'web2\t\tnode 2, gpu', "'web[1-2]'\t\t2 nodes"]],
    ['nsh run --on=db', 'fish', ['words', '--on=db1\t\tnode 3']],
    ['nsh nodes web1,@g', 'bash', ['words', '@gpu\t\tweb[1-2]']],
    ['nsh nodes web1,@g', 'zsh', ['words', 'web1,@gpu\t\tweb[1-2]']],
    ["nsh nodes 'd", 'bash', ['words', 'db1\t\tnode 3']],
    [
      'nsh run --detach-',
      'bash',
      ['nospace', "--detach-keys=\topen\tkeys that detach from its terminal (default 'ctrl-\\ d'; none)"],
    ],
    ['nsh kill -TE', 'fish', ['words', '-TERM\t\tsignal 15']],
    ['', 'bash', ['commands']],
    ['nsh nosuch ', 'bash', ['files']],
  ])('%s in %s', async (line, shell, lines) => {
    expect(await said(shell, line)).toEqual(lines);
  });

  it('says nothing where the cluster file cannot be read, and starts nothing', async () => {
    expect(await said('bash', 'nsh run -n ', {})).toEqual(['words', '@all\t\tevery node of the cluster']);
    expect(await said('bash', 'nsh logs ', {})).toEqual(['words']);
  });
});

describe('completion', () => {
  it.each(defaultShells)('prints a script that %s takes', async (shell) => {
    const { stdout } = await runCommand(completionCommand, [shell]);
    const directory = mkdtempSync(join(tmpdir(), 'nsh-script-'));
    writeFileSync(join(directory, 'script'), stdout);
    const { error, stderr, status } = spawnSync(shell, ['-n', join(directory, 'script')], { encoding: 'utf8' });
    rmSync(directory, { recursive: true });
    // A shell that is not installed has no complaints.
    expect(error === undefined ? { stderr, status } : { stderr: '', status: 0 }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain(`__complete ${shell}`);
  });

  it('knows no other shell', async () => {
    await expect(runCommand(completionCommand, ['tcsh'])).rejects.toThrow(
      "there is no script for 'tcsh': bash, zsh, fish",
    );
    await expect(runCommand(completionCommand, [])).rejects.toThrow('one shell is to be given');
  });
});
