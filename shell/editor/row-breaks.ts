/**
 * Where the rows of a text begin at some width. Rows are found as far as they are asked for, and what stands before a change is kept, so
 * that a key in a long text costs the rows around it.
 */
import { glyphOf, tabStop } from './display-width.ts';
import { clustersFrom, isPlain } from './graphemes.ts';

export interface RowStart {
  /** Offset of the first cluster of the row. */
  readonly offset: number;
  /** Column where it stands: behind the prompt, behind the continuation prompt, else 0. */
  readonly column: number;
  /** A newline came before it. */
  readonly isLineStart: boolean;
}

export interface RowGeometry {
  readonly width: number;
  /** Column where the text begins. */
  readonly firstColumn: number;
  /** Column where each further line of it begins. */
  readonly lineColumn: number;
}

/** Clusters are shorter: a break this far before a change does not depend on it. */
const reach = 256;
const piece = 2048;

export class RowBreaks {
  #text = '';
  #geometry: RowGeometry = { width: 80, firstColumn: 0, lineColumn: 0 };
  #rows: RowStart[] = [{ offset: 0, column: 0, isLineStart: false }];
  #isComplete = false;

  update(text: string, geometry: RowGeometry): void {
    const same = sameGeometry(geometry, this.#geometry) ? commonLength(text, this.#text) : -1;
    if (same === text.length && same === this.#text.length) return;
    const first = { offset: 0, column: geometry.firstColumn, isLineStart: false };
    this.#rows = same < 0 ? [first] : this.#rows.slice(0, Math.max(1, rowsBefore(this.#rows, same - reach)));
    this.#text = text;
    this.#geometry = geometry;
    this.#isComplete = false;
  }

  /** The row where the cursor stands that is at `offset`. */
  rowOf(offset: number): number {
    while (!this.#isComplete && (this.#rows.at(-1)?.offset ?? 0) <= offset) this.#extend();
    return rowsBefore(this.#rows, offset) - 1;
  }

  /** @returns undefined beyond the last row. */
  row(index: number): RowStart | undefined {
    while (!this.#isComplete && this.#rows.length <= index) this.#extend();
    return this.#rows[index];
  }

  /** Offset where the row ends: a newline's own, the next row's first, or the text's end. */
  endOf(index: number): number {
    const next = this.row(index + 1);
    if (next === undefined) return this.#text.length;
    return next.isLineStart ? next.offset - 1 : next.offset;
  }

  #extend(): void {
    const last = this.#rows.at(-1);
    if (last === undefined) throw new Error('a layout has at least one row');
    const next = nextRow(this.#text, last, this.#geometry);
    if (next === undefined) this.#isComplete = true;
    else this.#rows.push(next);
  }
}

/** Columns that a cluster takes at `column`; never more than a row has. */
export function columnsOf(cluster: string, column: number, width: number): number {
  const wanted =
    cluster === '\t' ? Math.min(tabStop - (column % tabStop), Math.max(1, width - column)) : glyphOf(cluster).width;
  return Math.min(wanted, width);
}

function nextRow(text: string, row: RowStart, { width, lineColumn }: RowGeometry): RowStart | undefined {
  let column = row.column;
  let { offset } = row;
  // Most text is plain: it needs no segmenting.
  while (offset < text.length && column < width && isAscii(text, offset) && isAscii(text, offset + 1)) {
    offset++;
    column++;
  }
  for (const cluster of clustersFrom(text, offset)) {
    const isNewline = cluster === '\n' || cluster === '\r\n';
    if (isNewline && column < width) {
      return { offset: offset + cluster.length, column: lineColumn, isLineStart: true };
    }
    const columns = isNewline ? 1 : columnsOf(cluster, column, width);
    if (column + columns > width && (column > 0 || isNewline)) return { offset, column: 0, isLineStart: false };
    column += columns;
    offset += cluster.length;
  }
  // A full last row: the cursor behind it stands on one of its own.
  return column >= width ? { offset, column: 0, isLineStart: false } : undefined;
}

function isAscii(text: string, at: number): boolean {
  if (at >= text.length) return true;
  const code = text.charCodeAt(at);
  return isPlain(code) && code !== 0x0a;
}

/** How many rows begin at or before the offset. */
function rowsBefore(rows: readonly RowStart[], offset: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function commonLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  // By pieces first: comparing those is the engine's work, not ours.
  while (at + piece <= most && a.startsWith(b.slice(at, at + piece), at)) at += piece;
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

function sameGeometry(a: RowGeometry, b: RowGeometry): boolean {
  return a.width === b.width && a.firstColumn === b.firstColumn && a.lineColumn === b.lineColumn;
}
