/** What a person sees before the first prompt of the demo: that it is being started, and what to do in the first minute. Pure. */
import type { Isolation } from './isolation.ts';

export interface WelcomeFacts {
  readonly names: readonly string[];
  readonly isolation: Isolation;
  readonly colour: boolean;
  readonly columns: number;
}

/** Shown in place, until the nodes are up. */
export function progressText(up: number, all: number): string {
  return `Starting ${all === 1 ? 'a node' : `${all} nodes`} on this machine${up === 0 ? '' : `: ${up} up`} …`;
}

type Line = readonly [typed: string, explained: string];

/** Names of nodes are those of the demo; with one node, what needs two is left out. */
export function firstMinute(names: readonly string[]): readonly Line[] {
  const [first = 'n1'] = names;
  const second = names[1] ?? first;
  const last = names.at(-1) ?? first;
  const lines: Line[] = [
    ['nodes', 'the machines, and how they are'],
    [`@${second} sleep 100`, 'runs there; Ctrl-Z stops it, fg goes on, Ctrl-C ends'],
    [`@${last} bash`, 'a shell there; Ctrl-\\ d leaves it, fg returns to it'],
    ['ps -a', 'finds it, wherever it runs; attach PID takes it back'],
    ['@all uname -n | sort', 'every node at once; pipelines go from node to node'],
    [`x=5; @${second} echo $x`, 'variables, functions and the directory go along'],
    [`on ${second}`, 'moves the session there; on localhost comes back'],
    ['group --help', 'how to keep so and so many of a kind running'],
    ['top', 'all processes of all nodes, live; q leaves'],
  ];
  return names.length > 1 ? lines : lines.filter(([typed]) => !typed.startsWith('@all'));
}

export function welcomeText({ names, isolation, colour, columns }: WelcomeFacts): string {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const lines = firstMinute(names);
  const width = Math.max(...lines.map(([typed]) => typed.length));
  const rows = lines.map(([typed, explained]) => {
    const isNarrow = width + explained.length + 5 > columns;
    const gap = isNarrow ? `\n${' '.repeat(6)}` : ' '.repeat(width - typed.length + 3);
    return `  ${paint('1', typed)}${gap}${paint('2', explained)}`;
  });
  return [...heading(names, isolation), '', ...rows, '', ...closing, ''].join('\n');
}

function heading(names: readonly string[], isolation: Isolation): string[] {
  const [first = '', second = ''] = names;
  const list = names.length > 3 ? `${first}, ${second}, … ${names.at(-1) ?? ''}` : names.join(', ');
  const own = isolation === 'none' ? '' : `, ${names.length === 1 ? '' : 'each '}with processes of its own`;
  return [
    `${names.length === 1 ? 'A node is' : `${names.length} nodes are`} up on this machine: ${list}${own}.`,
    "nsh reaches them by SSH, as it does real ones. Its lines are bash's. Try:",
  ];
}

const closing = [
  'Tab completes, help tells more, exit or Ctrl-D leaves. Then all of the demo is',
  'gone, with everything that runs in it.',
];
