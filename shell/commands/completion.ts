/** `nsh completion SHELL`: the script that completes `nsh` in that shell. */
import { defaultShells } from '../completion/shells.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command } from '../command.ts';
import { parseOptions } from '../getopt.ts';

export const completionCommand: Command = {
  name: 'completion',
  synopsis: ['bash|zsh|fish'],
  summary: 'print the script that completes nsh in another shell',
  options: [],
  async run({ stdout }, args) {
    const { operands } = parseOptions([], args);
    const [shell, ...more] = operands;
    if (shell === undefined || more.length > 0)
      throw new NshError('usage', `one shell is to be given: ${defaultShells.join(', ')}`);
    stdout.write(await scriptFor(shell));
    return 0;
  },
};

async function scriptFor(shell: string): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/scripts/bash.ts')).bashScript;
    case 'zsh':
      return (await import('../completion/scripts/zsh.ts')).zshScript;
    case 'fish':
      return (await import('../completion/scripts/fish.ts')).fishScript;
    default:
      throw new NshError('usage', `there is no script for ${quoteText(shell)}: ${defaultShells.join(', ')}`);
  }
}
