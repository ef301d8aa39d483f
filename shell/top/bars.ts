/**
 * The nodes above the processes: a bar for the load and one for the memory of each, side by side where the window is wide. A node
 * that does not answer has the reason instead, and comes first; where there are too many, the least loaded are left out. Pure.
 */
import { cutToWidth, displayWidth } from '../escape.ts';
import type { Dress } from './dress.ts';
import { cell, formatKb } from './format.ts';
import { isUp, type NodeState } from './nodes.ts';

/** Narrower bars say nothing; wider ones say no more. */
const [minBar, maxBar] = [8, 24];
const maxName = 16;
const gap = '  ';

/** @returns at most `maxLines` lines of at most `columns` cells. */
export function nodeLines(nodes: readonly NodeState[], columns: number, maxLines: number, wear: Dress): string[] {
  if (maxLines <= 0) return [];
  const nameWidth = Math.min(maxName, Math.max(4, ...nodes.map(({ node }) => displayWidth(node.name))));
  const isWaiting = (state: NodeState): boolean => state.failure === undefined && !isUp(state);
  const failed = nodes.filter(({ failure }) => failure !== undefined);
  const shown = [...failed, ...nodes.filter(isWaiting), ...byLoad(nodes.filter(isUp), maxLines, columns, nameWidth)];
  const texts: string[] = [];
  for (const state of failed) texts.push(failedLine(state, nameWidth, columns, wear));
  const others = shown.filter(({ failure }) => failure === undefined);
  const { perLine, bar } = grid(columns, nameWidth);
  for (let i = 0; i < others.length; i += perLine) {
    const cells = others.slice(i, i + perLine).map((state) => nodeCell(state, nameWidth, bar, wear));
    texts.push(cells.join(gap));
  }
  if (texts.length <= maxLines) return texts;
  const kept = texts.slice(0, maxLines - 1);
  const drawn = Math.min(failed.length, kept.length) + Math.max(0, kept.length - failed.length) * perLine;
  return [...kept, wear.dim(cutToWidth(`… and ${nodes.length - drawn} more nodes`, columns))];
}

/** In the order of the cluster while all fit, else the most loaded first. */
function byLoad(up: readonly NodeState[], maxLines: number, columns: number, nameWidth: number): readonly NodeState[] {
  if (up.length <= maxLines * grid(columns, nameWidth).perLine) return up;
  return up.toSorted((a, b) => loadShare(b) - loadShare(a));
}

function grid(columns: number, nameWidth: number): { perLine: number; bar: number } {
  const cellWidth = (bar: number): number => nameWidth + 2 * (bar + 3);
  const perLine = Math.max(1, Math.floor((columns + gap.length) / (cellWidth(12) + gap.length)));
  const room = Math.floor((columns - (perLine - 1) * gap.length) / perLine);
  return { perLine, bar: Math.max(minBar, Math.min(maxBar, Math.floor((room - nameWidth - 6) / 2))) };
}

function loadShare({ info }: NodeState): number {
  return info === undefined ? 0 : info.load1 / Math.max(1, info.cpus);
}

function nodeCell(state: NodeState, nameWidth: number, bar: number, wear: Dress): string {
  const { node, info } = state;
  const name = cell(node.name, nameWidth);
  if (info === undefined) return `${name} ${wear.dim(cell('no answer yet', 2 * bar + 5))}`;
  const usedKb = info.memTotalKb - info.memAvailableKb;
  const load = drawBar(loadShare(state), `${info.load1.toFixed(2)}/${info.cpus}`, bar, wear);
  const memory = drawBar(
    usedKb / Math.max(1, info.memTotalKb),
    `${formatKb(usedKb)}/${formatKb(info.memTotalKb)}`,
    bar,
    wear,
  );
  return `${wear.bold(name)} ${load} ${memory}`;
}

function failedLine({ node, failure = '' }: NodeState, nameWidth: number, columns: number, wear: Dress): string {
  const name = cell(node.name, nameWidth);
  return `${wear.bold(name)} ${wear.red(cell(`down: ${failure}`, Math.max(8, columns - nameWidth - 1)).trimEnd())}`;
}

/** `[||||     0.42/2]`, as htop draws it. */
function drawBar(share: number, label: string, width: number, wear: Dress): string {
  const filled = Math.max(0, Math.min(width, Math.round(share * width)));
  const text = label.slice(0, width).padStart(width);
  const marks = text.slice(0, filled).replaceAll(' ', '|') + text.slice(filled);
  const colour = share < 0.6 ? wear.green : share < 0.85 ? wear.yellow : wear.red;
  return `[${colour(marks.slice(0, filled))}${wear.dim(marks.slice(filled))}]`;
}
