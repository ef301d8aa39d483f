/**
 * The line that nearly every process has: each text plain and no wider than its column, so that nothing is escaped, cut or pushed aside.
 * It reads as layout.ts would lay it out, for a fraction of the work: a large cluster's ps has a hundred thousand cells.
 */
import { isPlain } from '../escape.ts';
import type { View } from './columns/index.ts';
import { blanks, type Layout } from './layout.ts';
import type { Row } from './row.ts';

/** Makes a row's line; undefined where layout.ts has to. */
export type QuickLine = (row: Row) => string | undefined;

export function quickLine(layout: Layout, view: View): QuickLine {
  if (!isSimple(layout)) return () => undefined;
  const columns = layout.columns.map(({ format: { column }, width, align }) => ({ column, width, align }));
  const last = columns.length - 1;
  const before = columns.slice(0, last).reduce((sum, { width }) => sum + width + 1, 0);
  const lastRoom = layout.lineWidth - before;
  const pieces: string[] = [];
  return (row) => {
    if (row.line !== 'both') return undefined;
    let pending = 0;
    for (let i = 0; i <= last; i++) {
      const { column, width, align } = columns[i] ?? unreachable();
      const text = column.text(row, view);
      const room = width - text.length;
      if (i === last ? text.length > lastRoom || (room < 0 && align === 'right') : room < 0) return undefined;
      if (align === 'right') {
        pieces[2 * i] = blanks(pending + room);
        pending = 1;
      } else {
        pieces[2 * i] = blanks(pending);
        pending = 1 + room;
      }
      pieces[2 * i + 1] = text;
    }
    const line = pieces.join('');
    return isPlain(line) ? line : undefined;
  };
}

/** Signal masks and fillers have widths of their own; colours are no part of a text's width. */
function isSimple({ columns, colour }: Layout): boolean {
  return columns.every(
    ({ format: { column, filler } }) =>
      filler === undefined && column.align !== 'signal' && !(colour && column.style !== undefined),
  );
}

function unreachable(): never {
  throw new Error('a column is missing');
}
