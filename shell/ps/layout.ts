/**
 * Lines of cells as procps lays them out: one blank between columns; a cell that is too long pushes the next ones aside, and they catch
 * up where there is room. On a terminal the last column ends at its edge; off one nothing is cut.
 */
import { cutToWidth, displayWidth } from '../escape.ts';
import { paint, type Style } from '../table.ts';
import type { FormatColumn } from './query.ts';

/** One column, its width settled. */
export interface LaidColumn {
  readonly format: FormatColumn;
  readonly width: number;
  readonly align: 'left' | 'right';
  /** Cells that are cut to the width where it is not the last column. */
  readonly cuts: 'no' | 'yes' | 'plus';
}

export interface Layout {
  readonly columns: readonly LaidColumn[];
  /** Columns that a line may take; Infinity off a terminal. */
  readonly lineWidth: number;
  readonly wideSignals: boolean;
  readonly colour: boolean;
}

export interface LayoutOptions {
  /** Columns of the terminal, or as --cols says; Infinity: nothing is cut. */
  readonly screenWidth: number;
  readonly colour: boolean;
  /** BSD `n`: names of users are numbers; they and wchan are right-aligned. */
  readonly numeric: boolean;
  /** Digits of the largest PID that can be shown. */
  readonly pidDigits: number;
  /** Width of the widest text of a column that fits its contents. */
  fit(format: FormatColumn): number;
}

const signalWidth = 9;
/** What sixteen digits take more than nine. */
const wideSignalExtra = 7;

export function layOut(format: readonly FormatColumn[], options: LayoutOptions): Layout {
  const columns = format.map((column) => layColumn(column, options));
  const signals = columns.filter(({ format: { column } }) => column.align === 'signal').length;
  const total = totalWidth(columns);
  const lineWidth = lineWidthFor(options.screenWidth, total);
  return {
    columns,
    lineWidth,
    wideSignals: total + signals * wideSignalExtra <= lineWidth,
    colour: options.colour,
  };
}

function layColumn(format: FormatColumn, options: LayoutOptions): LaidColumn {
  const { column, fixed } = format;
  let width = format.width;
  if (!fixed && column.isPid === true) width = Math.max(options.pidDigits, column.header.length, titleWidth(format));
  if (!fixed && column.fits === true) width = Math.max(width, options.fit(format));
  const isText = column.align === 'user' || column.align === 'wchan';
  const rightAligned = column.align === 'right' || column.align === 'signal' || (isText && options.numeric);
  const cuttable = column.align === 'unlimited' || column.align === 'wchan' || column.fits === true;
  const cuts = fixed || Number.isFinite(options.screenWidth);
  return {
    format,
    width,
    align: rightAligned ? 'right' : 'left',
    cuts: !cuts ? 'no' : column.align === 'user' ? 'plus' : cuttable ? 'yes' : 'no',
  };
}

function titleWidth({ header, column }: FormatColumn): number {
  return header === column.header ? 0 : displayWidth(header);
}

/** A screen that is too narrow for the columns themselves is taken as several side by side. */
function lineWidthFor(screenWidth: number, total: number): number {
  return Number.isFinite(screenWidth) ? screenWidth * Math.max(1, Math.ceil(total / screenWidth)) : screenWidth;
}

/** At least three columns for the last one, where it is cut. */
function totalWidth(columns: readonly LaidColumn[]): number {
  let total = 0;
  let gap = 0;
  for (const [i, { format, width }] of columns.entries()) {
    const isLast = i === columns.length - 1;
    if (format.filler !== undefined) gap = 0;
    total += gap + (isLast && format.column.align === 'unlimited' ? 3 : width);
    gap = format.filler === undefined ? 1 : 0;
  }
  return total;
}

/** One line. `textOf` gives escaped texts. */
export function joinCells(
  { columns, lineWidth, wideSignals, colour }: Layout,
  textOf: (column: LaidColumn) => string,
  styleOf: (column: LaidColumn) => Style | undefined,
): string {
  let line = '';
  let due = 0;
  let used = 0;
  let gap = 0;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column === undefined) break;
    const next = columns[i + 1];
    const behind = due - used;
    const room = next === undefined ? lineWidth - (behind < 1 ? used + gap : due) : column.width;
    const text = cutCell(textOf(column), column, room, next === undefined);
    const amount = displayWidth(text);
    const isSignal = column.format.column.align === 'signal';
    const target = isSignal ? (wideSignals ? signalWidth + wideSignalExtra : signalWidth) : column.width;
    const padding = column.align === 'right' ? Math.max(0, target - amount) : 0;
    const space = Math.max(behind + padding, behind + padding < 1 ? gap : 0);
    line += blanks(space) + (colour ? paint(text, styleOf(column), colour) : text);
    used += space + amount;
    due += column.width + (isSignal && wideSignals ? wideSignalExtra : 0);
    gap = column.format.filler === undefined && next?.format.filler === undefined ? 1 : 0;
    due += gap;
  }
  return line;
}

const fewBlanks = Array.from({ length: 32 }, (_, count) => ' '.repeat(count));

export function blanks(count: number): string {
  return fewBlanks[count] ?? ' '.repeat(Math.max(0, count));
}

function cutCell(text: string, { cuts, width }: LaidColumn, room: number, isLast: boolean): string {
  if (cuts === 'no' || text.length <= Math.min(room, width)) return text;
  if (cuts === 'plus') {
    const most = isLast ? Math.max(0, room) : width;
    return displayWidth(text) <= most ? text : `${cutToWidth(text, most - 1)}+`;
  }
  return cutToWidth(text, Math.max(1, room));
}
