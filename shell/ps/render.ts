/** A ps's answer as text: rows of any number of nodes in one table. Everything that came from a node is escaped. */
import { displayWidth, escapeText } from '../escape.ts';
import { hasCell, type View } from './columns/index.ts';
import { joinCells, layOut, type LaidColumn, type Layout } from './layout.ts';
import type { FormatColumn, PsQuery } from './query.ts';
import { quickLine } from './quick-line.ts';
import type { Row } from './row.ts';

export interface RenderOptions {
  /** Columns to cut at; Infinity: nothing is cut. */
  readonly screenWidth: number;
  /** Lines of the screen, for --headers. */
  readonly screenRows: number;
  readonly colour: boolean;
  /** Digits of the largest PID that the nodes shown can have. */
  readonly pidDigits: number;
}

/** Lines that each end in a line feed; the heading alone where there is no row. */
export function renderRows(rows: readonly Row[], query: PsQuery, options: RenderOptions): string {
  const view: View = { ...viewOf(query), wideSignals: true };
  const layout = layOut(query.format, {
    ...options,
    numeric: query.numeric,
    fit: (format) => widestText(rows, format, view),
  });
  const settled: View = { ...view, wideSignals: layout.wideSignals };
  const heading = headingLine(layout, query);
  const gap = query.heading === 'repeat' ? Math.max(1, options.screenRows - 1) : Number.POSITIVE_INFINITY;
  const quick = quickLine(layout, settled);
  const lines = [heading];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (row === undefined) break;
    if (i > 0 && i % gap === 0) lines.push(heading);
    lines.push(`${quick(row) ?? fullLine(row, layout, settled)}\n`);
  }
  return lines.join('');
}

export function viewOf({ numeric, withDead, commandOnly, withEnviron }: PsQuery): Omit<View, 'wideSignals'> {
  return { numeric, withDead, commandOnly, withEnviron };
}

function fullLine(row: Row, layout: Layout, view: View): string {
  return joinCells(
    layout,
    ({ format }) => format.filler ?? (hasCell(row, format.column) ? escapeText(format.column.text(row, view)) : '-'),
    ({ format }) => format.column.style?.(row),
  );
}

/** Empty where every heading is: `-o pid=`. */
function headingLine(layout: Layout, { heading, format }: PsQuery): string {
  const titled = format.some(({ header, filler }) => filler === undefined && header !== '');
  if (heading === 'none' || (heading === 'once' && !titled)) return '';
  const uncut: Layout = { ...layout, columns: layout.columns.map(uncutColumn), colour: false };
  return `${joinCells(
    uncut,
    ({ format: { header } }) => header,
    () => undefined,
  )}\n`;
}

function uncutColumn(column: LaidColumn): LaidColumn {
  return { ...column, cuts: 'no' };
}

/** Texts repeat (names of nodes): each is measured once. */
function widestText(rows: readonly Row[], { column }: FormatColumn, view: View): number {
  const texts = new Set<string>();
  let last: string | undefined;
  for (const row of rows) {
    const text = column.text(row, view);
    if (text !== last) texts.add(text);
    last = text;
  }
  let widest = 0;
  for (const text of texts) widest = Math.max(widest, displayWidth(escapeText(text)));
  return widest;
}
