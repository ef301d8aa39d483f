/**
 * The tour: what nsh does, shown by doing it. Each step prints a command line and runs that very line through the real `nsh`;
 * later steps name the processes that earlier ones started.
 */
import { relative } from 'node:path';
import process from 'node:process';
import type { DemoCluster } from './demo-cluster.ts';
import { runProgram } from './run-program.ts';
import { shellWords } from './workspace.ts';

export interface TourContext {
  readonly cluster: DemoCluster;
  /** argv of nsh. */
  readonly nsh: readonly string[];
  readonly cwd: string;
  readonly write: (text: string) => void;
  readonly colour: boolean;
  /** Both ends of this command are a terminal. */
  readonly terminal: boolean;
  readonly signal: AbortSignal;
}

export interface Step {
  readonly title: string;
  /** Words after `nsh`, given what earlier steps have printed. */
  readonly words: (printed: ReadonlyMap<string, string>) => readonly string[];
  /** Keeps what the step prints, for later steps. */
  readonly saveAs?: string;
  /** Default 0. */
  readonly expect?: number;
  readonly usesTerminal?: boolean;
  /** Said where the step went as expected. */
  readonly after?: string;
}

const counting = 'for i in 1 2 3 4 5 6 7 8; do echo "$(hostname): $i"; sleep 0.5; done';

/** @param names of the nodes; there is at least one. */
export function tourSteps(names: readonly string[]): readonly Step[] {
  const first = names[0] ?? '';
  const second = names[1] ?? first;
  const last = names.at(-1) ?? first;
  const saved = (name: string) => (printed: ReadonlyMap<string, string>) => printed.get(name)?.trim() ?? '';
  const sleeper = saved('sleeper');
  const counter = saved('counter');
  return [
    { title: 'The nodes of the cluster', words: () => ['nodes'] },
    { title: 'One command on all of them', words: () => ['run', '--all', '--', 'uname', '-n'] },
    {
      title: `A process in the background on ${last}; what comes back is its cluster PID`,
      words: () => ['run', '-d', '-n', last, '--', 'sleep', '1000'],
      saveAs: 'sleeper',
    },
    {
      title: `A process with a terminal of its own on ${second}`,
      words: () => ['run', '-d', '-t', '-n', second, '--name', 'counter', '--', 'sh', '-c', counting],
      saveAs: 'counter',
    },
    { title: 'Everything that nsh runs, on every node', words: () => ['ps', '-a'] },
    {
      title: 'Its terminal, attached to from here until it ends (ctrl-\\ d would leave it running)',
      words: (printed) => ['attach', counter(printed)],
      usesTerminal: true,
    },
    { title: 'A signal, by cluster PID alone', words: (printed) => ['kill', '-TERM', sleeper(printed)] },
    {
      title: 'How it ended, as wait(1) has it',
      words: (printed) => ['wait', sleeper(printed)],
      expect: 143,
      after: 'exit status 143: 128 + 15, ended by SIGTERM',
    },
    { title: 'What it printed is kept', words: (printed) => ['logs', counter(printed)] },
    {
      title: 'A group: three of a kind, kept running by the agents on whatever nodes there are',
      words: () => ['group', 'start', '--wait', 'web', '-n', '3', '--', 'sleep', '1000'],
    },
    { title: 'One of them is killed', words: () => ['kill', '-KILL', 'web/2'] },
    { title: 'Its place is taken at once', words: () => ['group', 'show', 'web'] },
    { title: 'The group is ended and forgotten', words: () => ['group', 'rm', '--wait', 'web'] },
  ];
}

/** @returns 0 where every step ended as it should, else 1; 130 where the person broke it off. */
export async function runTour(context: TourContext): Promise<number> {
  const { cluster, write } = context;
  const names = cluster.nodes.map(({ name }) => name);
  const own = cluster.isolation === 'none' ? '' : ', each with a process table of its own';
  write(
    `A cluster of ${names.length} on this machine: ${names.join(', ')}${own}. Each is an agent behind an SSH server.\n`,
  );
  const printed = new Map<string, string>();
  for (const step of tourSteps(names)) {
    const status = await runStep(step, context, printed);
    if (context.signal.aborted) return 130;
    const expected = step.expect ?? 0;
    if (status !== expected) {
      write(`\nThat was to end with exit status ${expected}, and ended with ${status}.\n`);
      return 1;
    }
    if (step.after !== undefined) write(`${dim(`(${step.after})`, context)}\n`);
  }
  const again = shellWords([...context.nsh.map((word) => shorten(word, context.cwd)), 'demo']);
  write(`\nTo go on by yourself, with the shell, on a terminal:\n  ${again}\n`);
  return 0;
}

async function runStep(step: Step, context: TourContext, printed: Map<string, string>): Promise<number> {
  const words = step.words(printed);
  context.write(`\n${dim(`# ${step.title}`, context)}\n${bold(`$ ${shellWords(['nsh', ...words])}`, context)}\n`);
  let output = '';
  const input = step.usesTerminal === true && context.terminal ? 'inherit' : 'ignore';
  const outcome = await runProgram([...context.nsh, ...words], {
    env: context.cluster.env,
    cwd: context.cwd,
    signal: context.signal,
    onProgram: (pid) => context.cluster.watch(pid),
    stdio: [input, step.saveAs === undefined ? 'inherit' : 'pipe', 'inherit'],
    onOutput: (text) => {
      output += text;
      context.write(text);
    },
  });
  if (step.saveAs !== undefined) printed.set(step.saveAs, output);
  if ('failure' in outcome) context.write(`${outcome.failure}\n`);
  return outcome.status;
}

/** As one would type it: node by its name, the program by its path from here. */
function shorten(word: string, cwd: string): string {
  if (word === process.execPath) return 'node';
  const path = relative(cwd, word);
  return path.startsWith('..') ? word : path;
}

function bold(text: string, { colour }: TourContext): string {
  return colour ? `\u001b[1m${text}\u001b[22m` : text;
}

function dim(text: string, { colour }: TourContext): string {
  return colour ? `\u001b[2m${text}\u001b[22m` : text;
}
