/**
 * `nsh run`: a command on one node or many, in the foreground or left running. argv goes as it is, without a shell; options end at
 * the first operand, so that the command keeps its own.
 */
import { currentStarter } from '../../src/cluster/starter.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import type { Params } from '../../src/protocol/control.ts';
import type { Command, CommandContext } from '../command.ts';
import { describeFailure, gather } from '../gather.ts';
import { chooseNodes } from '../run/choose-nodes.ts';
import { runWithPipes, runWithTerminal } from '../run/foreground.ts';
import { runOnMany } from '../run/many.ts';
import { parseRunOptions, runOptions, type RunOptions } from '../run/options.ts';
import { makeReporter } from '../run/report.ts';
import { makeRunParams, passesStdin, usesTerminal, type RunSurroundings } from '../run/request.ts';

export const runCommand: Command = {
  name: 'run',
  synopsis: ['[-tTdb] [-n NODESET] [-C DIR] [-e VAR=VALUE] [--] COMMAND [ARGUMENT…]'],
  summary: 'run a command on a node, or on many',
  options: runOptions,
  details: [
    "With a terminal, ctrl-\\ and then d leave it running; attach comes back to it. A session needs none of this: there, '@NODE PROGRAM' runs a program as run does.",
  ],
  run: async (context, args) => {
    const options = parseRunOptions(args, context.env);
    const client = await context.cluster();
    const nodes = await chooseNodes(client, options, context.signal);
    const here = surroundings(context, client, nodes.length);
    const isNode = client.nodes.some((node) => node.id === client.self.id);
    const starter = currentStarter(context.env, client.self, isNode);
    const params = (clientId: string | undefined): Params<'run'> => makeRunParams(options, here, starter, clientId);
    return await dispatch({ context, client, nodes, options, here, params });
  },
};

interface Plan {
  readonly context: CommandContext;
  readonly client: ClusterClient;
  readonly nodes: readonly NodeSpec[];
  readonly options: RunOptions;
  readonly here: RunSurroundings;
  readonly params: (clientId: string | undefined) => Params<'run'>;
}

async function dispatch(plan: Plan): Promise<number> {
  const { context, client, nodes, options, here, params } = plan;
  if (options.detached) return await startDetached(plan);
  const [node] = nodes;
  if (node === undefined || nodes.length > 1 || options.folded) {
    const folded = options.folded;
    return await runOnMany({ context, client, nodes, folded, passesStdin: passesStdin(options, here), params });
  }
  const run = { context, client, node, options, params };
  return usesTerminal(options, here) ? await runWithTerminal(run) : await runWithPipes(run, passesStdin(options, here));
}

/** Nothing but the cluster PIDs goes to stdout, one a line, in the order of the nodes. */
async function startDetached({ context, client, nodes, params }: Plan): Promise<number> {
  const { results, failures } = await gather(client, nodes, 'run', params(undefined), { signal: context.signal });
  const gpids = results.map(({ node, result }) => `${toGpid(node.id, result.pid)}\n`);
  if (gpids.length > 0) context.stdout.write(gpids.join(''));
  const reporter = makeReporter(context, 'run');
  for (const failure of failures) reporter.say(describeFailure(failure));
  return Math.max(0, ...failures.map(({ error }) => error.exitStatus));
}

function surroundings(context: CommandContext, client: ClusterClient, nodeCount: number): RunSurroundings {
  const { columns: cols, rows } = context.terminal;
  return {
    stdinIsTerminal: context.stdin.isTTY === true,
    stdoutIsTerminal: context.stdout.isTTY === true,
    size: cols === undefined || rows === undefined ? undefined : { cols, rows },
    term: context.env['TERM'],
    cwd: context.cwd,
    isThisMachineAlone: client.spec.file === undefined,
    nodeCount,
  };
}
