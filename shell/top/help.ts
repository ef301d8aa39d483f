/** The keys of `top`, as its help screen and the man page list them. */
import { cutToWidth } from '../escape.ts';
import type { Dress } from './dress.ts';

const keys: readonly (readonly [key: string, what: string])[] = [
  ['↑ ↓ PgUp PgDn', 'move the bar; it stays with the process that it is on'],
  ['g G Home End', 'first, last'],
  ['P M T', 'sort by processor use, memory, processor time'],
  ['N U', 'sort by node, user'],
  ['R', 'reverse the order'],
  ['t', 'tree: children below their parents, across nodes'],
  ['/', 'show only what holds a text in its PID, node, user or command; Esc shows all'],
  ['k', 'signal the process under the bar; asks which signal'],
  ['Enter', 'take its terminal, where nsh runs it (marked *); Ctrl-\\ d comes back'],
  ['d', 'seconds between samples'],
  ['Space', 'sample now'],
  ['Ctrl-L', 'draw the screen anew'],
  ['q Ctrl-C', 'quit'],
];

export function helpLines({ columns, rows }: { columns: number; rows: number }, wear: Dress): string[] {
  const width = Math.max(...keys.map(([key]) => key.length));
  const lines = [
    wear.bold('nsh top'),
    '',
    'Above: load (runnable processes of processors) and memory in use of each node.',
    '%CPU is of one processor since the sample before; PIDs are cluster PIDs.',
    '',
    ...keys.map(([key, what]) => `  ${key}${' '.repeat(width - key.length)}  ${what}`),
    '',
    'Any other key goes back.',
  ];
  return lines.map((line, i) => (i === 0 ? line : cutToWidth(line, columns))).slice(0, Math.max(1, rows - 1));
}
