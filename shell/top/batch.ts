/** `nsh top -b`: samples as text, for scripts: what the screen shows, with every process and nothing cut off a terminal. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '../command.ts';
import { escapeJson, escapeLines } from '../escape.ts';
import { incompleteStatus } from '../gather.ts';
import { nodeLines } from './bars.ts';
import { undressed } from './dress.ts';
import { isUp, type NodeState } from './nodes.ts';
import type { TopOptions } from './options.ts';
import type { Sampler } from './sampler.ts';
import { summaryLine } from './screen.ts';
import { newState, type TopState } from './state.ts';
import { headingLine, layOut, taskLine } from './table.ts';

/** The first sample needs one before it to have rates. */
export const primingMs = 500;
/** Columns for the bars of the nodes where nothing is cut. */
const barColumns = 120;

/** @returns the exit status. */
export async function runBatch(
  context: CommandContext,
  options: TopOptions,
  sampler: Sampler,
  cluster: string,
): Promise<number> {
  const { signal } = context;
  let incomplete = false;
  await Promise.race([sampler.sample(), aborted(signal)]);
  for (let i = 0; i < options.iterations && !signal.aborted; i++) {
    await delay(i === 0 ? primingMs : options.intervalMs, undefined, { signal }).catch(() => {});
    await Promise.race([sampler.sample(), aborted(signal)]);
    if (signal.aborted) break;
    const state = newState(sampler.states, options, options.intervalMs);
    incomplete = tellFailures(context, state.nodes) || incomplete;
    const text = options.json ? toJson(state, Date.now()) : toText(state, context.terminal.columns, cluster, i > 0);
    if (!context.stdout.write(text)) await Promise.race([once(context.stdout, 'drain'), aborted(signal)]);
  }
  return incomplete ? incompleteStatus : 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function tellFailures({ stderr }: CommandContext, nodes: readonly NodeState[]): boolean {
  const failed = nodes.filter(({ failure }) => failure !== undefined);
  for (const { node, failure } of failed) stderr.write(`nsh top: ${node.name}: ${escapeLines(failure ?? '')}\n`);
  return failed.length > 0;
}

function toText(state: TopState, columns: number | undefined, cluster: string, isNext: boolean): string {
  const width = columns ?? Number.POSITIVE_INFINITY;
  const layout = layOut(
    state.rows.map(({ task }) => task),
    width,
  );
  const lines = [
    ...(isNext ? [''] : []),
    summaryLine(state, width, undressed, clockTime(new Date()), cluster),
    ...nodeLines(state.nodes, columns ?? barColumns, state.nodes.length + 1, undressed),
    headingLine(layout, state.sort, width, undressed),
    ...state.rows.map((row) => taskLine(row, layout, width, undressed, false).trimEnd()),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** `08:45:01`, local time. */
export function clockTime(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

function toJson(state: TopState, atMs: number): string {
  const nodes = state.nodes.map((each) => ({
    id: each.node.id,
    node: each.node.name,
    state: isUp(each) ? 'up' : 'down',
    ...(each.failure === undefined ? {} : { error: each.failure }),
    ...each.info,
  }));
  const processes = state.rows.map(({ task }) => ({
    pid: task.gpid,
    lpid: task.pid,
    node: task.node.name,
    ppid: task.parent,
    user: task.user,
    nice: task.nice,
    state: task.state,
    cpuPercent: Math.round(task.cpu * 10) / 10,
    memPercent: Math.round(task.memory * 10) / 10,
    rssKb: task.residentKb,
    timeSeconds: task.ticks / 100,
    managed: task.managed,
    command: task.command,
  }));
  return `${escapeJson(JSON.stringify({ atMs, nodes, processes }))}\n`;
}
