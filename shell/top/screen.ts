/** The whole screen of `top` as lines: header, nodes, the window of processes, and what is asked or said. Pure. */
import { cutToWidth, displayWidth, escapeText } from '../escape.ts';
import type { Arranged, SortField } from './arrange.ts';
import { nodeLines } from './bars.ts';
import type { Dress } from './dress.ts';
import { helpLines } from './help.ts';
import { isUp, type NodeState } from './nodes.ts';
import { defaultSignal, fullSignalName, scrolled, type Question, type TopState } from './state.ts';
import { headingLine, layOut, taskLine } from './table.ts';
import type { Task } from './task.ts';

export interface ScreenSize {
  readonly columns: number;
  /** Of the terminal; one is left free. */
  readonly rows: number;
}

export interface TopScreen {
  readonly lines: readonly string[];
  /** Present while something is typed. */
  readonly cursor?: { readonly x: number; readonly y: number };
}

const sortNames: Readonly<Record<SortField, string>> = {
  cpu: 'CPU',
  mem: 'memory',
  node: 'node',
  user: 'user',
  time: 'time',
  pid: 'PID',
  command: 'command',
};

/** Lines of nodes: a third of the screen at most. */
function drawNodes(state: TopState, { columns, rows }: ScreenSize, wear: Dress): readonly string[] {
  return nodeLines(state.nodes, columns, Math.max(1, Math.floor((rows - 4) / 3)), wear);
}

/** How many processes fit. */
export function pageHeight(state: TopState, size: ScreenSize, wear: Dress): number {
  // Summary, heading, the last line, and the row that is left free.
  return Math.max(1, size.rows - 4 - drawNodes(state, size, wear).length);
}

/** What follows from all processes, for as long as they are the same: keys come faster than samples. */
const layouts = new WeakMap<readonly Arranged[], readonly [columns: number, layout: ReturnType<typeof layOut>]>();

function layoutOf(rows: readonly Arranged[], columns: number): ReturnType<typeof layOut> {
  const known = layouts.get(rows);
  if (known?.[0] === columns) return known[1];
  const layout = layOut(
    rows.map(({ task }) => task),
    columns,
  );
  layouts.set(rows, [columns, layout]);
  return layout;
}

interface Counts {
  readonly up: number;
  readonly tasks: number;
  readonly running: number;
  readonly managed: number;
}

const counted = new WeakMap<readonly NodeState[], Counts>();

function countsOf(nodes: readonly NodeState[]): Counts {
  const known = counted.get(nodes);
  if (known !== undefined) return known;
  const tasks = nodes.flatMap((node) => node.tasks);
  const counts = {
    up: nodes.filter(isUp).length,
    tasks: tasks.length,
    running: tasks.filter((task) => task.state === 'R').length,
    managed: tasks.filter((task) => task.managed).length,
  };
  counted.set(nodes, counts);
  return counts;
}

export function drawScreen(before: TopState, size: ScreenSize, wear: Dress, clock: string, cluster: string): TopScreen {
  const { columns } = size;
  if (before.helping) return { lines: helpLines(size, wear).map((line) => fit(line, columns)) };
  const height = pageHeight(before, size, wear);
  const state = scrolled(before, height);
  const layout = layoutOf(state.rows, columns);
  const visible = state.rows.slice(state.from, state.from + height);
  const lines = [
    summaryLine(state, columns, wear, clock, cluster),
    ...drawNodes(state, size, wear),
    headingLine(layout, state.sort, columns, wear),
    ...visible.map((row, i) => taskLine(row, layout, columns, wear, state.from + i === state.at)),
  ];
  while (lines.length < size.rows - 2) lines.push('');
  const bottom = bottomLine(state, columns);
  lines.push(bottom);
  const fitting = lines.slice(0, Math.max(1, size.rows - 1)).map((line) => fit(line, columns));
  if (state.question === undefined || fitting.length < lines.length) return { lines: fitting };
  return { lines: fitting, cursor: { x: Math.min(displayWidth(bottom), columns - 1), y: lines.length - 1 } };
}

const narrow = 60;
const sgr = /\u001b\[[\d;]*m/g;

/** In a window in which not even the columns of numbers have room, what is beyond its edge is left out, and with it the colours. */
function fit(line: string, columns: number): string {
  if (columns >= narrow) return line;
  const text = line.replace(sgr, '');
  return displayWidth(text) <= columns ? line : cutToWidth(text, columns);
}

/** Where the window is narrow, what is wanted least goes: one has to see by what the rows are sorted, and that some are left out. */
export function summaryLine(state: TopState, columns: number, wear: Dress, clock: string, cluster: string): string {
  const { up, tasks, running, managed } = countsOf(state.nodes);
  const nodes = up === state.nodes.length ? count(up, 'node') : `${up} of ${count(state.nodes.length, 'node')} up`;
  const order = `by ${sortNames[state.sort]}${state.reversed ? ', reversed' : ''}${state.tree ? ', tree' : ''}`;
  const filter = state.filter === '' ? '' : `, '${escapeText(state.filter)}': ${state.rows.length}`;
  const arrangement = `; ${order}${filter}`;
  const title = `nsh top - ${clock} ${escapeText(cluster)}`;
  const parts = [nodes, count(tasks, 'process', 'processes'), `${running} running`, `${managed} by nsh`];
  const wholes = parts.map((_, i) => `${title}: ${parts.slice(0, parts.length - i).join(', ')}${arrangement}`);
  const text = wholes.find((whole) => displayWidth(whole) <= columns) ?? cutToWidth(wholes.at(-1) ?? '', columns);
  return wear.bold(text.slice(0, title.length)) + text.slice(title.length);
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function bottomLine(state: TopState, columns: number): string {
  const { question, message } = state;
  if (question === undefined) return cutToWidth(message === '' ? hints : escapeText(message), columns);
  const text = `${questionText(question)} ${escapeText(question.text)}`;
  // What is being typed is seen, however long it is.
  const over = displayWidth(text) - (columns - 1);
  return over <= 0 ? text : Array.from(text).slice(over).join('');
}

const hints = 'q quit  P CPU  M memory  N node  U user  / filter  t tree  k signal  Enter attach  h help';

function questionText(question: Question): string {
  switch (question.kind) {
    case 'filter':
      return 'show only (PID, node, user or command):';
    case 'interval':
      return 'seconds between samples:';
    case 'signal':
  }
  return signalQuestion(question.target);
}

function signalQuestion({ gpid, node, command }: Task): string {
  const name = cutToWidth(escapeText(command), 24);
  return `signal for ${gpid} (${name}) on ${node.name} [${fullSignalName(defaultSignal)}, Esc: none]:`;
}
