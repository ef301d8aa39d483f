/** Tables of commands other than ps: columns as wide as their widest cell, two blanks apart, every cell escaped. */
import { cutToWidth, displayWidth, escapeText } from './escape.ts';

export type Style = 'dim' | 'red' | 'green' | 'yellow';

/** SGR codes that switch a style on and off again. */
const styles: Readonly<Record<Style, readonly [on: string, off: string]>> = {
  dim: ['\x1b[2m', '\x1b[22m'],
  red: ['\x1b[31m', '\x1b[39m'],
  green: ['\x1b[32m', '\x1b[39m'],
  yellow: ['\x1b[33m', '\x1b[39m'],
};

export interface TableColumn<T> {
  readonly header: string;
  /** Default left. */
  readonly align?: 'left' | 'right';
  /** Escaped by the table. */
  text(row: T): string;
  style?(row: T): Style | undefined;
}

export interface TableOptions {
  /** Columns of the terminal, where lines end; absent: nothing is cut. */
  readonly width?: number | undefined;
  readonly colour: boolean;
  /** Default true. */
  readonly heading?: boolean;
}

const gap = 2;

/** Lines that each end in a line feed. */
export function renderTable<T>(
  rows: readonly T[],
  columns: readonly TableColumn<T>[],
  { width = Number.POSITIVE_INFINITY, colour, heading = true }: TableOptions,
): string {
  const texts = rows.map((row) => columns.map((column) => escapeText(column.text(row))));
  const widths = columns.map((column, i) =>
    Math.max(heading ? displayWidth(column.header) : 0, ...texts.map((line) => displayWidth(line[i] ?? ''))),
  );
  const shown = columns.slice(0, fitting(columns, widths, width));
  const lines = texts.map((line, i) => {
    const row = rows[i];
    return joinLine(line, shown, widths, width, (column, text) =>
      row === undefined ? text : paint(text, column.style?.(row), colour),
    );
  });
  if (heading) {
    const headers = columns.map((column) => column.header);
    lines.unshift(joinLine(headers, shown, widths, width, (_column, text) => text));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** Wraps a text in a style's codes. */
export function paint(text: string, style: Style | undefined, colour: boolean): string {
  if (!colour || style === undefined || text === '') return text;
  const [on, off] = styles[style];
  return on + text + off;
}

/** How many of the columns are shown: a number is shown whole or, with all that comes after it, not at all; a text may be cut. */
function fitting<T>(columns: readonly TableColumn<T>[], widths: readonly number[], width: number): number {
  let used = 0;
  for (const [i, { align }] of columns.entries()) {
    const columnWidth = widths[i] ?? 0;
    if (used + (align === 'right' ? columnWidth : 1) > width) return i;
    used += columnWidth + gap;
  }
  return columns.length;
}

function joinLine<T>(
  texts: readonly string[],
  columns: readonly TableColumn<T>[],
  widths: readonly number[],
  width: number,
  dress: (column: TableColumn<T>, text: string) => string,
): string {
  let line = '';
  let pending = 0;
  let used = 0;
  for (const [i, column] of columns.entries()) {
    const text = cutToWidth(texts[i] ?? '', width - used - pending);
    const padding = Math.max(0, (widths[i] ?? 0) - displayWidth(text));
    const before = column.align === 'right' ? padding : 0;
    if (text !== '') {
      line += ' '.repeat(pending + before) + dress(column, text);
      used += pending + before + displayWidth(text);
      pending = padding - before + gap;
    } else {
      pending += padding + gap;
    }
  }
  return line;
}
