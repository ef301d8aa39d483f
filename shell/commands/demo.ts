/**
 * `nsh demo`: a cluster on this machine for the time of one command, of an interactive shell, or of a short tour. What it is made of lies
 * in shell/demo, which is loaded only here.
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
  /** Empty: the shell on a terminal, else the tour. */
  readonly command: readonly string[];
  /** The tour, on a terminal too. */
  readonly tour: boolean;
}

const maxNodes = 64;

const countOption: OptionSpec = {
  short: 'n',
  long: 'nodes',
  argument: 'N',
  summary: `number of nodes, 1 to ${maxNodes} (default 3)`,
};

const tourOption: OptionSpec = { long: 'tour', summary: 'a short tour, which off a terminal is the default' };
const options = [countOption, tourOption];

export const demoCommand: Command = {
  name: 'demo',
  synopsis: ['[-n N] [--tour]', '[-n N] -- COMMAND [ARGUMENT…]'],
  summary: 'a cluster on this machine, to try nsh',
  options,
  details: ['On a terminal, without COMMAND, it opens an interactive shell. Nothing stays behind when it ends.'],
  async run(context, args) {
    const [first, second] = args;
    if (first === asNode) return await runAsNode(context);
    if (first === asJanitor && second !== undefined) return await runAsJanitor(context, second, args.slice(2));
    const wanted = parseDemoArguments(args);
    const isShell = wanted.command.length === 0 && !wanted.tour && isInteractive(context);
    const { startDemoCluster } = await import('../demo/demo-cluster.ts');
    keepFromDying();
    const progress = isShell ? await showProgress(context, wanted.nodes) : undefined;
    const cluster = await startDemoCluster({ nodes: wanted.nodes, env: context.env, onNode: () => progress?.step() });
    try {
      progress?.end();
      if (context.signal.aborted) return 130;
      if (isShell) return await runShell(context, cluster);
      return wanted.command.length === 0
        ? await runTour(context, cluster)
        : await runCommand(context, cluster, wanted.command);
    } finally {
      const left = await cluster.stop();
      if (left.length > 0) context.stderr.write(`nsh demo: processes that do not end: ${left.join(' ')}\n`);
    }
  },
};

function isInteractive({ stdin, stdout, env }: CommandContext): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb';
}

/** The context's signal tells of the first one; none may end the demo before it has cleaned up. */
function keepFromDying(): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
}

/** @throws NshError `usage` */
export function parseDemoArguments(args: readonly string[]): DemoArguments {
  const { options: given, operands } = parseOptions(options, args, 'posix');
  const count = given.findLast(({ option }) => option === countOption)?.value;
  const tour = given.some(({ option }) => option === tourOption);
  if (tour && operands.length > 0) throw new NshError('usage', '--tour is a tour by itself; it runs no COMMAND');
  return { nodes: count === undefined ? 3 : parseCount(count), command: operands, tour };
}

function parseCount(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= maxNodes) return count;
  throw new NshError('usage', `-n takes a number of nodes from 1 to ${maxNodes}, not '${text}'`);
}

async function runTour(context: CommandContext, cluster: DemoCluster): Promise<number> {
  const tour = await import('../demo/tour.ts');
  return await tour.runTour({
    cluster,
    nsh: [process.execPath, programPath('nsh')],
    cwd: context.cwd,
    write: (text) => context.stdout.write(text),
    colour: context.terminal.colour,
    terminal: context.stdin.isTTY === true && context.stdout.isTTY === true,
    signal: context.signal,
  });
}

/** One line, in place, gone when the nodes are up. */
async function showProgress(
  { stdout }: CommandContext,
  all: number,
): Promise<{ readonly step: () => void; readonly end: () => void }> {
  const { progressText } = await import('../demo/welcome.ts');
  let up = 0;
  const show = (): void => void stdout.write(`\r${progressText(up, all)}\u001b[K`);
  show();
  const step = (): void => {
    up++;
    show();
  };
  return { step, end: () => void stdout.write('\r\u001b[K') };
}

/**
 * What a shell that was killed may have left switched on in the terminal: paste and mouse reports, application keys, the alternate screen, a
 * hidden cursor, colours. Raw mode goes with this process.
 */
const sane =
  '\u001b[?2004l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?1l\u001b>\u001b[?1049l\u001b[?25h\u001b[0m\r\n';

/** How the last line of a shell ended is the person's own affair: a demo that was left ends with 0. */
async function runShell(context: CommandContext, cluster: DemoCluster): Promise<number> {
  const { welcomeText } = await import('../demo/welcome.ts');
  const { runProgram } = await import('../demo/run-program.ts');
  const { stdout, stderr, terminal, cwd } = context;
  const names = cluster.nodes.map(({ name }) => name);
  const { isolation } = cluster;
  stdout.write(`${welcomeText({ names, isolation, colour: terminal.colour, columns: terminal.columns ?? 80 })}\n`);
  const outcome = await runProgram([process.execPath, programPath('nsh')], {
    env: cluster.env,
    cwd,
    stdio: 'inherit',
    onProgram: (pid) => cluster.watch(pid),
  });
  if ('failure' in outcome) stderr.write(`nsh demo: ${outcome.failure}\n`);
  else if (outcome.endedBy !== undefined) stdout.write(sane);
  return 'failure' in outcome || outcome.endedBy !== undefined || outcome.told !== undefined ? outcome.status : 0;
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
