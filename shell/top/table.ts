/** The lines of the processes. Only those that are seen are made. Pure. */
import { cutToWidth, displayWidth, escapeText } from '../escape.ts';
import type { Arranged, SortField } from './arrange.ts';
import type { Dress } from './dress.ts';
import { cell, formatKb, formatPercent, formatTicks } from './format.ts';
import type { Task } from './task.ts';

interface TopColumn {
  readonly header: string;
  readonly align: 'left' | 'right';
  /** Cells. */
  readonly width: number;
  /** Which order it shows, to mark it. */
  readonly field?: SortField;
  text(task: Task): string;
}

const [maxNodeWidth, maxUserWidth] = [16, 10];

/** As wide as what all processes hold, so that nothing jumps while one scrolls. */
/** In a narrow window what is wanted least gives way to the command. @param columns Infinity: nothing is left out. */
export function layOut(tasks: readonly Task[], columns: number): readonly TopColumn[] {
  let [pid, node, user] = [8, 4, 8];
  for (const task of tasks) {
    pid = Math.max(pid, String(task.gpid).length);
    node = Math.max(node, task.node.name.length);
    user = Math.max(user, Math.min(task.user.length, maxUserWidth));
  }
  let layout: readonly TopColumn[] = [
    { header: 'PID', align: 'right', width: pid, field: 'pid', text: ({ gpid }) => String(gpid) },
    {
      header: 'NODE',
      align: 'left',
      width: Math.min(node, maxNodeWidth),
      field: 'node',
      text: (task) => task.node.name,
    },
    { header: 'USER', align: 'left', width: user, field: 'user', text: (task) => task.user },
    { header: 'NI', align: 'right', width: 3, text: ({ nice }) => String(nice) },
    { header: 'S', align: 'left', width: 1, text: ({ state }) => state },
    { header: '%CPU', align: 'right', width: 5, field: 'cpu', text: ({ cpu }) => formatPercent(cpu) },
    { header: '%MEM', align: 'right', width: 5, field: 'mem', text: ({ memory }) => formatPercent(memory) },
    { header: 'RES', align: 'right', width: 6, field: 'mem', text: ({ residentKb }) => formatKb(residentKb) },
    { header: 'TIME+', align: 'right', width: 9, field: 'time', text: ({ ticks }) => formatTicks(ticks) },
  ];
  for (const header of expendable) {
    if (columns - widthOf(layout) >= minCommand) break;
    layout = layout.filter((column) => column.header !== header);
  }
  return layout;
}

const minCommand = 24;
/** The least wanted first. */
const expendable: readonly string[] = ['NI', 'TIME+', 'RES', 'USER', 'NODE', '%MEM', 'S'];

function widthOf(layout: readonly TopColumn[]): number {
  // A blank behind each, and the mark with its own.
  return layout.reduce((sum, { width }) => sum + width + 1, 2);
}

/** What stands behind the last column: `*` for what nsh runs, the branch of a tree, the command. */
const commandHeader = 'COMMAND';

/** @param columns Infinity: nothing is cut. */
export function headingLine(layout: readonly TopColumn[], sort: SortField, columns: number, wear: Dress): string {
  const cells = layout.map(({ header, width, align, field }) => ({
    text: cell(header, width, align),
    marked: field === sort,
  }));
  const line = [...cells, { text: `   ${commandHeader}`, marked: sort === 'command' }];
  let text = '';
  let room = columns;
  for (const [i, each] of line.entries()) {
    const shown = cutToWidth(i === 0 || i === line.length - 1 ? each.text : ` ${each.text}`, room);
    room -= displayWidth(shown);
    text += each.marked ? wear.bold(shown) : shown;
  }
  return Number.isFinite(columns) ? wear.reverse(text + ' '.repeat(Math.max(0, room))) : text;
}

export function taskLine(
  { task, branch }: Arranged,
  layout: readonly TopColumn[],
  columns: number,
  wear: Dress,
  selected: boolean,
): string {
  const cells = layout.map((column) => cell(column.text(task), column.width, column.align)).join(' ');
  const head = cutToWidth(`${cells} ${task.managed ? '*' : ' '} `, columns);
  const room = columns - displayWidth(head);
  const text = Number.isFinite(room)
    ? cell(branch + task.command, Math.max(0, room))
    : escapeText(branch + task.command);
  if (selected) return wear.reverse(head + text);
  const shown = Number.isFinite(room) ? text.trimEnd() : text;
  if (task.state === 'R') return wear.bold(head + shown);
  return task.managed ? wear.green(head + shown) : head + shown;
}
