/** `nsh top`: the cluster live. What it is made of lies in shell/top; Ink is loaded only where there is a screen to draw. */
import { NshError } from '../../src/protocol/errors.ts';
import type { Command } from '../command.ts';
import { nodesOn } from '../ps/collect.ts';
import { parseTopOptions, topOptions } from '../top/options.ts';
import { Sampler } from '../top/sampler.ts';

export const topCommand: Command = {
  name: 'top',
  synopsis: ['[-t] [-d SECONDS] [-o FIELD] [-f TEXT] [--on NODESET]', '-b|--json [-n N] [OPTION…]'],
  summary: 'show the processes of the whole cluster live',
  options: topOptions,
  details: [
    'Keys: arrows move, P M T N U sort, / filters, t shows a tree, k signals, Enter attaches, h tells of all of them, q leaves.',
  ],
  async run(context, args) {
    const options = parseTopOptions(args);
    const client = await context.cluster();
    const nodes = await nodesOn(client, options.on, context.signal);
    const { cluster } = client.spec;
    if (options.batch) {
      const { runBatch } = await import('../top/batch.ts');
      const sampler = new Sampler(client, nodes, () => {});
      try {
        return await runBatch(context, options, sampler, cluster);
      } finally {
        sampler.close();
      }
    }
    const { terminalPair } = await import('../top/full-screen.ts');
    const terminal = terminalPair(context.stdin, context.stdout);
    if (terminal === undefined || context.env['TERM'] === 'dumb')
      throw new NshError('usage', 'there is no terminal to draw on; -b prints samples as text');
    const { runLive } = await import('../top/live.ts');
    const makeSampler = (onAnswer: () => void): Sampler => new Sampler(client, nodes, onAnswer);
    return await runLive({ context, options, client, cluster, terminal, makeSampler });
  },
};
