import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../shell/command.ts';
import { renderCommandList } from '../../shell/command-list.ts';
import { loadCommand, summaries } from '../../shell/commands/index.ts';
import { sessionSummaries } from '../../shell/commands/session-commands.ts';
import { noBuiltins } from '../../shell/session/builtins.ts';
import { jobBuiltins } from '../../shell/session/job-builtins.ts';
import { JobTable } from '../../shell/session/jobs.ts';
import { manWords } from '../../shell/commands/man.ts';
import { runCommand } from './run-command.ts';

async function loadHelp(): Promise<Command> {
  const command = await loadCommand('help');
  if (command === undefined) throw new Error('no help');
  return command;
}

async function help(...args: readonly string[]): Promise<string> {
  const { stdout, status } = await runCommand(await loadHelp(), args);
  expect(status).toBe(0);
  return stdout;
}

describe('help', () => {
  it('lists every command once, in groups', async () => {
    const text = await help();
    for (const [name, summary] of summaries)
      expect(text.split('\n').filter((line) => line.startsWith(`  ${name} `) && line.endsWith(summary))).toHaveLength(
        1,
      );
    expect(text).toMatch(/^Processes:\n {2}ps /m);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('tells of what only a session has, each in its own words', async () => {
    const { names } = jobBuiltins(new JobTable(), noBuiltins);
    const known = new Set([...summaries, ...sessionSummaries].map(([name]) => name));
    expect([...names, 'on', 'history'].filter((name) => !known.has(name))).toEqual([]);
    for (const [name, summary] of sessionSummaries) {
      expect(await help()).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
      expect(await help(name)).toMatch(new RegExp(`^Usage: ${name} [^]*${summary.slice(1)}\\.`));
    }
  });

  it('wraps summaries beside their names', () => {
    expect(
      renderCommandList(
        [
          ['x', 'one two three four five'],
          ['ps', 'short'],
        ],
        33,
      ),
    ).toBe('Processes:\n  ps  short\n\nnsh itself:\n  x   one two three four five\n');
    expect(renderCommandList([['x', 'one two three four five']], 10)).toContain('  x  one two three four\n     five\n');
  });

  it('tells of a command of nsh, and of what bash knows', async () => {
    expect(await help('kill')).toMatch(/^Usage: kill \[-s SIGNAL/);
    expect(await help('cd')).toBe(spawnSync('bash', ['-c', 'help -- cd'], { encoding: 'utf8' }).stdout);
    expect(await help('attach', 'for')).toMatch(/^Usage: attach [^]*for: for NAME/);
  });

  it('says what is near to a name that nobody knows', async () => {
    const command = await loadHelp();
    expect(await runCommand(command, ['atach', 'kill'])).toMatchObject({
      status: 1,
      stderr: "nsh help: there is no help for 'atach'; did you mean 'attach'?\n",
      stdout: expect.stringContaining('Usage: kill'),
    });
    expect((await runCommand(command, ['no; such'])).stderr).toContain("'help' lists the commands");
    await expect(help('-x')).rejects.toThrow('invalid option');
  });
});

describe('man', () => {
  const files = (...args: readonly string[]): string[] =>
    manWords(args, () => true).map((word) => word.replace(/^.*(?=\/man\/)/, ''));

  it("finds nsh's own pages wherever they lie, and leaves others to man(1)", () => {
    expect(files('nsh')).toEqual(['/man/nsh.1']);
    expect(files('nsh-cluster', 'ls')).toEqual(['/man/nsh-cluster.5', 'ls']);
    expect(files('5', 'nsh-cluster')).toEqual(['/man/nsh-cluster.5']);
    expect(files('1', 'nsh-cluster')).toEqual(['1', 'nsh-cluster']);
    expect(files('nsh-protocol.7')).toEqual(['/man/nsh-protocol.7']);
    expect(files('2', 'kill')).toEqual(['2', 'kill']);
    expect(files('-k', 'nsh')).toEqual(['-k', 'nsh']);
    expect(manWords(['nsh'], () => false)).toEqual(['nsh']);
  });
});
