/**
 * The state of the screen of `top`, and how keys change it. Pure: what has to be done besides is handed back as an action. A new key
 * goes into `plainKeys` and into help.ts.
 */
import { findSignal, signalName } from '../../src/ids/signals.ts';
import { arrange, type Arranged, type Arrangement, type SortField } from './arrange.ts';
import { isUp, type NodeState } from './nodes.ts';
import type { Task } from './task.ts';

/** A question at the bottom, with what has been typed as its answer. */
export type Question =
  | { readonly kind: 'filter'; readonly text: string; readonly before: string }
  | { readonly kind: 'signal'; readonly text: string; readonly target: Task }
  | { readonly kind: 'interval'; readonly text: string };

export interface TopState extends Arrangement {
  readonly nodes: readonly NodeState[];
  /** What is shown, in order: follows from `nodes` and the arrangement. */
  readonly rows: readonly Arranged[];
  /** Row under the bar. */
  readonly at: number;
  /** The process that the bar stays with; undefined: the bar stays at its row, which is the first. */
  readonly pinned: string | undefined;
  /** First row in the window. */
  readonly from: number;
  readonly intervalMs: number;
  readonly question?: Question | undefined;
  readonly helping: boolean;
  /** What the last key has come to, until the next one. */
  readonly message: string;
}

export type TopAction =
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'sample' }
  | { readonly kind: 'attach'; readonly target: Task }
  | { readonly kind: 'signal'; readonly target: Task; readonly signal: number };

export interface Step {
  readonly state: TopState;
  readonly action?: TopAction;
}

export const defaultSignal = 15;
/** Seconds. */
export const [minInterval, maxInterval] = [0.2, 3600];

export function newState(nodes: readonly NodeState[], arrangement: Arrangement, intervalMs: number): TopState {
  const empty = { at: 0, pinned: undefined, from: 0, intervalMs, helping: false, message: '' };
  return rearranged({ ...arrangement, ...empty, nodes, rows: [] });
}

export function withNodes(state: TopState, nodes: readonly NodeState[]): TopState {
  return rearranged({ ...state, nodes });
}

/** The window holds the bar. @param height rows that there is room for. */
export function scrolled(state: TopState, height: number): TopState {
  const last = Math.max(0, state.rows.length - height);
  const from = Math.max(0, Math.min(state.from, last, state.at), state.at - Math.max(1, height) + 1);
  return from === state.from ? state : { ...state, from };
}

/** @param height rows of processes on the screen: a page. */
export function pressKey(before: TopState, key: string, height: number): Step {
  const state = before.message === '' ? before : { ...before, message: '' };
  if (key === 'ctrl-c') return state.question === undefined ? quit(state) : { state: answered(state) };
  if (key === 'ctrl-z') return { state, action: { kind: 'suspend' } };
  if (key === 'ctrl-l') return { state, action: { kind: 'redraw' } };
  if (state.question !== undefined) return typeAnswer(state, state.question, key);
  if (state.helping) return key === 'q' ? quit(state) : { state: { ...state, helping: false } };
  const row = moves(state.rows.length, height)[key];
  if (row !== undefined) return { state: movedTo(state, row(state.at)) };
  const field = sortKeys[key];
  if (field !== undefined) return { state: rearranged({ ...state, sort: field, reversed: false }) };
  return plainKeys[key]?.(state) ?? { state: { ...state, message: `no such key: ${key}; h lists them` } };
}

const sortKeys: Readonly<Record<string, SortField>> = {
  P: 'cpu',
  M: 'mem',
  N: 'node',
  U: 'user',
  T: 'time',
};

const plainKeys: Readonly<Record<string, (state: TopState) => Step>> = {
  q: quit,
  escape: (state) => ({ state: state.filter === '' ? state : filtered(state, '') }),
  h: help,
  '?': help,
  t: (state) => ({ state: rearranged({ ...state, tree: !state.tree }) }),
  R: (state) => ({ state: rearranged({ ...state, reversed: !state.reversed }) }),
  '/': (state) => ask(state, { kind: 'filter', text: state.filter, before: state.filter }),
  d: (state) => ask(state, { kind: 'interval', text: '' }),
  ' ': (state) => ({ state, action: { kind: 'sample' } }),
  k: (state) => withTarget(state, (target) => ask(state, { kind: 'signal', text: '', target })),
  enter: (state) => withTarget(state, (target) => attach(state, target)),
};

function quit(state: TopState): Step {
  return { state, action: { kind: 'quit' } };
}

function help(state: TopState): Step {
  return { state: { ...state, helping: true } };
}

function ask(state: TopState, question: Question): Step {
  return { state: { ...state, question } };
}

function answered(state: TopState, message = ''): TopState {
  return { ...state, question: undefined, message };
}

function withTarget(state: TopState, then: (target: Task) => Step): Step {
  const target = state.rows[state.at]?.task;
  return target === undefined ? { state: { ...state, message: 'no process is selected' } } : then(target);
}

function attach(state: TopState, target: Task): Step {
  if (target.managed) return { state, action: { kind: 'attach', target } };
  return {
    state: { ...state, message: `${target.gpid} was not started by nsh: only those marked * have a terminal to take` },
  };
}

type Move = (at: number) => number;

function moves(rows: number, height: number): Readonly<Record<string, Move>> {
  const page = Math.max(1, height - 1);
  const [first, last]: readonly [Move, Move] = [() => 0, () => rows - 1];
  const [pageUp, pageDown]: readonly [Move, Move] = [(at) => at - page, (at) => at + page];
  return {
    up: (at) => at - 1,
    down: (at) => at + 1,
    home: first,
    end: last,
    g: first,
    G: last,
    pageup: pageUp,
    pagedown: pageDown,
    'ctrl-b': pageUp,
    'ctrl-f': pageDown,
  };
}

/** From then on the bar stays with that process; at the first row it stays at the top instead. */
function movedTo(state: TopState, row: number): TopState {
  const at = Math.max(0, Math.min(row, state.rows.length - 1));
  return { ...state, at, pinned: at === 0 ? undefined : state.rows[at]?.task.key };
}

function typeAnswer(state: TopState, question: Question, key: string): Step {
  if (key === 'escape') {
    const filter = question.kind === 'filter' ? question.before : state.filter;
    return { state: filtered(answered(state), filter) };
  }
  if (key === 'enter') return finish(state, question);
  const text = edit(question.text, key);
  const next = { ...state, question: { ...question, text } };
  return { state: question.kind === 'filter' ? filtered(next, text) : next };
}

/** The bar stays with its process; where that is filtered out, what was found is seen from its beginning. */
function filtered(state: TopState, filter: string): TopState {
  const next = rearranged({ ...state, filter });
  return next.pinned === state.pinned ? next : movedTo(next, 0);
}

function edit(text: string, key: string): string {
  if (key === 'backspace') return text.replace(/.$/su, '');
  if (key === 'ctrl-u') return '';
  if (key === 'ctrl-w') return text.replace(/\S*\s*$/u, '');
  return /^.$/su.test(key) ? text + key : text;
}

function finish(state: TopState, question: Question): Step {
  const text = question.text.trim();
  switch (question.kind) {
    case 'filter':
      return { state: answered(state) };
    case 'interval':
      return changeInterval(state, text);
    case 'signal':
  }
  const signal = text === '' ? defaultSignal : findSignal(text);
  const { target } = question;
  if (signal === undefined) return { state: answered(state, `unknown signal '${text}': nothing was sent`) };
  return { state: answered(state), action: { kind: 'signal', target, signal } };
}

function changeInterval(state: TopState, text: string): Step {
  if (text === '') return { state: answered(state) };
  const seconds = /^\d+(?:[.,]\d*)?$|^[.,]\d+$/.test(text) ? Number(text.replace(',', '.')) : Number.NaN;
  if (!(seconds >= minInterval && seconds <= maxInterval))
    return { state: answered(state, `the interval is ${minInterval} to ${maxInterval} seconds, not '${text}'`) };
  return { state: { ...answered(state), intervalMs: seconds * 1000 }, action: { kind: 'sample' } };
}

/** `SIGTERM`, for the question. */
export function fullSignalName(signal: number): string {
  return signal === 0 ? '0' : `SIG${signalName(signal) ?? signal}`;
}

function rearranged(state: TopState): TopState {
  const rows = arrange(
    state.nodes.flatMap((node) => (isUp(node) ? node.tasks : [])),
    state,
  );
  const pinnedAt = state.pinned === undefined ? 0 : rows.findIndex(({ task }) => task.key === state.pinned);
  // Where the process has gone the bar stays where it was, and with what is there now.
  const at = pinnedAt === -1 ? Math.max(0, Math.min(state.at, rows.length - 1)) : pinnedAt;
  const pinned = pinnedAt === -1 ? rows[at]?.task.key : state.pinned;
  return { ...state, rows, at, pinned };
}
