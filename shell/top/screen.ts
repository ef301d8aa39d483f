/** The whole screen of `top` as lines: header, nodes, the window of processes, and what is asked or said. Pure. */
import { cutToWidth, displayWidth, escapeText } from '../escape.ts';
import type { SortField } from './arrange.ts';
import { nodeLines } from './bars.ts';
import type { Dress } from './dress.ts';
import { helpLines } from './help.ts';
import { isUp } from './nodes.ts';
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

export function drawScreen(before: TopState, size: ScreenSize, wear: Dress, clock: string, cluster: string): TopScreen {
  const { columns } = size;
  if (before.helping) return { lines: helpLines(size, wear).map((line) => fit(line, columns)) };
  const height = pageHeight(before, size, wear);
  const state = scrolled(before, height);
  const layout = layOut(
    state.rows.map(({ task }) => task),
    columns,
  );
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

export function summaryLine(state: TopState, columns: number, wear: Dress, clock: string, cluster: string): string {
  const up = state.nodes.filter(isUp).length;
  const tasks = state.nodes.flatMap((node) => node.tasks);
  const running = tasks.filter((task) => task.state === 'R').length;
  const managed = tasks.filter((task) => task.managed).length;
  const nodes = up === state.nodes.length ? count(up, 'node') : `${up} of ${count(state.nodes.length, 'node')} up`;
  const parts = [nodes, count(tasks.length, 'process', 'processes'), `${running} running`, `${managed} by nsh`];
  const order = `by ${sortNames[state.sort]}${state.reversed ? ', reversed' : ''}${state.tree ? ', tree' : ''}`;
  const filter = state.filter === '' ? '' : `, '${escapeText(state.filter)}': ${state.rows.length}`;
  const title = `nsh top - ${clock} ${escapeText(cluster)}`;
  const text = cutToWidth(`${title}: ${parts.join(', ')}; ${order}${filter}`, columns);
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
