/**
 * `man`: the pages of nsh, which may not lie where man(1) looks, and all others as man(1) shows them. On a terminal it runs as any program
 * does that wants one, so that its pager has the keys.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { programPath } from '../../src/cluster/programs.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, CommandContext } from '../command.ts';

const pages: Readonly<Record<string, string>> = {
  nsh: 'nsh.1',
  'nsh-agent': 'nsh-agent.8',
  'nsh-cluster': 'nsh-cluster.5',
  'nsh-coordination': 'nsh-coordination.7',
  'nsh-group': 'nsh-group.5',
  'nsh-protocol': 'nsh-protocol.7',
};
/** What the pager and man(1) go by, of the session rather than of the node's fresh environment. */
const variables = ['LANG', 'LC_ALL', 'LC_MESSAGES', 'LESS', 'MANOPT', 'MANPAGER', 'MANPATH', 'MANROFFOPT', 'PAGER'];

export const manCommand: Command = {
  name: 'man',
  synopsis: ['[SECTION] PAGE…'],
  summary: "show manual pages, nsh's own and others",
  options: [],
  async run(context, args) {
    if (args.length === 0)
      throw new NshError(
        'usage',
        'which page? nsh, nsh-cluster, nsh-agent, nsh-group, nsh-coordination, nsh-protocol, or any of man(1)',
      );
    const words = manWords(args);
    const { stdin, stdout } = context;
    return stdin.isTTY === true && stdout.isTTY === true
      ? await showOnTerminal(context, words)
      : await print(context, words);
  },
};

/** Names of nsh's pages become their files, which man(1) takes for what has a slash. With options they are left as they are (`man -k nsh`). */
export function manWords(args: readonly string[], exists: (path: string) => boolean = existsSync): string[] {
  if (args.some((word) => word.startsWith('-'))) return [...args];
  const [section, ...rest] = args;
  const isChosen = section !== undefined && /^\d$/.test(section) && rest.length > 0;
  const words = (isChosen ? rest : args).map((word) => {
    const page = Object.hasOwn(pages, word) ? pages[word] : Object.values(pages).find((file) => file === word);
    if (page === undefined || (isChosen && !page.endsWith(`.${section}`))) return word;
    const path = fileURLToPath(new URL(`../man/${page}`, `file://${programPath('nsh')}`));
    return exists(path) ? path : word;
  });
  return isChosen && words.some((word) => !word.includes('/')) ? [section, ...words] : words;
}

async function showOnTerminal(context: CommandContext, words: readonly string[]): Promise<number> {
  const { runCommand } = await import('./run.ts');
  const { self } = await context.cluster();
  const env = variables.flatMap((name) =>
    context.env[name] === undefined ? [] : ['-e', `${name}=${context.env[name]}`],
  );
  return await runCommand.run(context, ['-t', '-n', self.name, '--keep', 'none', ...env, '--', 'man', ...words]);
}

async function print({ stdout, stderr, env, signal }: CommandContext, words: readonly string[]): Promise<number> {
  const child = spawn('man', [...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env }, signal });
  const ended = Promise.race([
    once(child, 'close').then(([status]) => (typeof status === 'number' ? status : 255)),
    once(child, 'error').then(([error]) => {
      throw new NshError(
        'commandNotFound',
        `man cannot be run: ${error instanceof Error ? error.message : String(error)}`,
      );
    }),
  ]);
  child.stdout.pipe(stdout, { end: false });
  child.stderr.pipe(stderr, { end: false });
  return await ended;
}
