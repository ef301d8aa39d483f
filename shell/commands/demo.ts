/**
 * `nsh demo`: a cluster on this machine for the time of one command, or of a short tour. What it is made of lies in shell/demo,
 * which is loaded only here.
 */
import process from 'node:process';
import { programPath } from '../../src/cluster/programs.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import type { DemoCluster } from '../demo/demo-cluster.ts';
import { asJanitor, asNode } from '../demo/self-call.ts';
import { parseOptions } from '../getopt.ts';

export interface DemoArguments {
  readonly nodes: number;
  /** Empty: the tour. */
  readonly command: readonly string[];
}

const maxNodes = 64;

const countOption: OptionSpec = {
  short: 'n',
  long: 'nodes',
  argument: 'N',
  summary: `number of nodes, 1 to ${maxNodes} (default 3)`,
};

export const demoCommand: Command = {
  name: 'demo',
  synopsis: ['[-n N] [-- COMMAND [ARGUMENT…]]'],
  summary: 'a cluster on this machine, to try nsh',
  options: [countOption],
  async run(context, args) {
    const [first, second] = args;
    if (first === asNode) return await runAsNode(context);
    if (first === asJanitor && second !== undefined) return await runAsJanitor(context, second, args.slice(2));
    const { nodes, command } = parseDemoArguments(args);
    const { startDemoCluster } = await import('../demo/demo-cluster.ts');
    keepFromDying();
    const cluster = await startDemoCluster({ nodes, env: context.env });
    try {
      if (context.signal.aborted) return 130;
      return command.length === 0 ? await tour(context, cluster) : await runCommand(context, cluster, command);
    } finally {
      const left = await cluster.stop();
      if (left.length > 0) context.stderr.write(`nsh demo: processes that do not end: ${left.join(' ')}\n`);
    }
  },
};

/** The context's signal tells of the first one; none may end the demo before it has cleaned up. */
function keepFromDying(): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
}

/** @throws NshError `usage` */
export function parseDemoArguments(args: readonly string[]): DemoArguments {
  const { options, operands } = parseOptions([countOption], args, 'posix');
  const count = options.at(-1)?.value;
  return { nodes: count === undefined ? 3 : parseCount(count), command: operands };
}

function parseCount(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= maxNodes) return count;
  throw new NshError('usage', `-n takes a number of nodes from 1 to ${maxNodes}, not '${text}'`);
}

async function tour(context: CommandContext, cluster: DemoCluster): Promise<number> {
  const { runTour } = await import('../demo/tour.ts');
  return await runTour({
    cluster,
    nsh: [process.execPath, programPath('nsh')],
    cwd: context.cwd,
    write: (text) => context.stdout.write(text),
    colour: context.terminal.colour,
    terminal: context.stdin.isTTY === true && context.stdout.isTTY === true,
    signal: context.signal,
  });
}

async function runCommand(context: CommandContext, cluster: DemoCluster, command: readonly string[]): Promise<number> {
  const { runProgram } = await import('../demo/run-program.ts');
  const onProgram = (pid: number | undefined): void => cluster.watch(pid);
  const outcome = await runProgram(command, { env: cluster.env, cwd: context.cwd, stdio: 'inherit', onProgram });
  if ('failure' in outcome) context.stderr.write(`nsh demo: ${outcome.failure}\n`);
  return outcome.status;
}

async function runAsNode(context: CommandContext): Promise<number> {
  const { runNode } = await import('../demo/node-main.ts');
  await runNode(context.stdin, context.stdout);
  return 0;
}

async function runAsJanitor(context: CommandContext, directory: string, program: readonly string[]): Promise<number> {
  const { cleanUp, parseProgram } = await import('../demo/janitor.ts');
  const left = await cleanUp(directory, context.env, parseProgram(program));
  return left.length === 0 ? 0 : 1;
}
