/**
 * Prompt, text and suggestion → rows of styled runs no wider than the terminal, and where the cursor stands: by display width, with
 * nothing in them that a terminal would obey. Only a window of rows around the cursor is drawn; it moves only as far as it must.
 */
import { glyphOf } from './display-width.ts';
import { clustersFrom } from './graphemes.ts';
import { columnsOf, RowBreaks, type RowStart } from './row-breaks.ts';
import { appendRun, type StyledRun, type StyledSpan } from './styled-run.ts';

export interface LayoutInput {
  /** May have several lines. */
  readonly prompt: readonly StyledRun[];
  /** Before each further line of the text; one line. */
  readonly continuation: readonly StyledRun[];
  readonly text: string;
  /** UTF-16 offset in `text`. */
  readonly cursor: number;
  /** In order, not overlapping. */
  readonly spans: readonly StyledSpan[];
  /** Drawn behind the text in the style `suggestion`. */
  readonly suggestion: string;
  /** Columns, at least 1. */
  readonly width: number;
  /** Rows to draw at most, at least 1. */
  readonly maxRows: number;
}

export interface Layout {
  readonly rows: readonly (readonly StyledRun[])[];
  /** Counted from the first of `rows`. */
  readonly cursorRow: number;
  /** Less than the width. */
  readonly cursorColumn: number;
  readonly hasMoreAbove: boolean;
  readonly hasMoreBelow: boolean;
}

type Row = { text: string; style: string }[];

export class LineLayout {
  readonly #breaks = new RowBreaks();
  /** First row drawn, the prompt's rows counted. */
  #top = 0;

  layout(input: LayoutInput): Layout {
    const width = Math.max(1, input.width);
    const whole = input.text + input.suggestion;
    const prompt = promptRows(input.prompt, width);
    const continuation = fitting(input.continuation, width);
    this.#breaks.update(whole, {
      width,
      firstColumn: prompt.column,
      lineColumn: continuation.column,
    });
    const above = prompt.rows.length - 1;
    const textRow = this.#breaks.rowOf(input.cursor);
    const cursorRow = above + textRow;
    const { top, end } = this.#window(cursorRow, above, Math.max(1, input.maxRows));
    const rows: Row[] = [];
    for (let index = top; index < end; index++) {
      const start = index < above ? undefined : this.#breaks.row(index - above);
      const before =
        index <= above ? prompt.rows[index] : start?.isLineStart === true ? continuation.rows[0] : undefined;
      const row = (before ?? []).map((run) => ({ ...run }));
      if (start !== undefined) drawText(row, whole, start, this.#breaks.endOf(index - above), input, width);
      rows.push(row);
    }
    const start = this.#breaks.row(textRow);
    return {
      rows,
      cursorRow: cursorRow - top,
      cursorColumn: start === undefined ? 0 : Math.min(columnAt(whole, start, input.cursor, width), width - 1),
      hasMoreAbove: top > 0,
      hasMoreBelow: this.#breaks.row(end - above) !== undefined,
    };
  }

  /** Forgets what was drawn: for a new line. */
  reset(): void {
    this.#top = 0;
  }

  #window(cursorRow: number, above: number, maxRows: number): { readonly top: number; readonly end: number } {
    let top = Math.max(Math.min(this.#top, cursorRow), cursorRow - maxRows + 1, 0);
    let end = top;
    while (end < top + maxRows && (end <= above || this.#breaks.row(end - above) !== undefined)) end++;
    // The text became shorter: rows above take the place that is free.
    if (end < top + maxRows) top = Math.max(0, end - maxRows);
    this.#top = top;
    return { top, end };
  }
}

interface DrawnPrompt {
  readonly rows: readonly Row[];
  /** Where what follows begins, on the last row. */
  readonly column: number;
}

function promptRows(prompt: readonly StyledRun[], width: number): DrawnPrompt {
  let row: Row = [];
  const rows = [row];
  let column = 0;
  const begin = (): void => {
    row = [];
    rows.push(row);
    column = 0;
  };
  for (const { text, style } of prompt) {
    for (const cluster of clustersFrom(text, 0)) {
      if (cluster === '\n' || cluster === '\r\n') {
        begin();
        continue;
      }
      const columns = columnsOf(cluster, column, width);
      if (column + columns > width) begin();
      appendRun(row, drawn(cluster, columns), style);
      column += columns;
    }
  }
  if (column >= width) begin();
  return { rows, column };
}

/** Where it would leave hardly any room it is left out. */
function fitting(continuation: readonly StyledRun[], width: number): DrawnPrompt {
  const made = promptRows(continuation, width);
  return made.rows.length === 1 && made.column <= width / 2 ? made : { rows: [[]], column: 0 };
}

function drawText(row: Row, whole: string, start: RowStart, end: number, input: LayoutInput, width: number): void {
  let { column, offset } = start;
  const styleAt = styles(input, offset);
  if (offset >= end) return;
  for (const cluster of clustersFrom(whole, offset)) {
    const columns = columnsOf(cluster, column, width);
    appendRun(row, drawn(cluster, columns), styleAt(offset));
    column += columns;
    offset += cluster.length;
    if (offset >= end) break;
  }
}

/** Style at offsets that only grow. */
function styles(input: LayoutInput, from: number): (offset: number) => string {
  const { spans, text } = input;
  let index = firstSpanEndingAfter(spans, from);
  return (offset) => {
    if (offset >= text.length) return 'suggestion';
    let span = spans[index];
    while (span !== undefined && span.end <= offset) span = spans[++index];
    return span !== undefined && span.start <= offset ? span.style : '';
  };
}

function firstSpanEndingAfter(spans: readonly StyledSpan[], offset: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The cluster as it is drawn in so many columns; what does not fit the terminal at all is a question mark. */
function drawn(cluster: string, columns: number): string {
  if (cluster === '\t') return ' '.repeat(columns);
  const glyph = glyphOf(cluster);
  return glyph.width > columns ? '?'.repeat(columns) : glyph.text;
}

function columnAt(text: string, start: RowStart, offset: number, width: number): number {
  let { column } = start;
  let at = start.offset;
  if (at >= offset) return column;
  for (const cluster of clustersFrom(text, at)) {
    column += columnsOf(cluster, column, width);
    at += cluster.length;
    if (at >= offset) break;
  }
  return column;
}
