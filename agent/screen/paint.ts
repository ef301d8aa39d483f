/**
 * Draws lines of a buffer as text for an empty terminal. (The serialize add-on leaves out what is coloured but empty, and draws some
 * wrapped lines wrongly: test/agent/screen/random-screens.test.ts.) A line that ran on into the next is drawn so, that it can be folded
 * anew where the width changes.
 */
import { attributes, plain, type Cell, type Line } from './attributes.ts';
import type { Emulator } from './emulator.ts';

type ScreenBuffer = Emulator['buffer']['active'];

/** Lines from `first` to `last`, the cursor being at the start of a line. */
export function paintLines(buffer: ScreenBuffer, first: number, last: number, cols: number): string {
  let text = '';
  for (let row = first; row <= last; row++) {
    const line = buffer.getLine(row);
    if (line === undefined) continue;
    text += paintLine(line, cols);
    if (row === last) break;
    text += runsOn(line, buffer.getLine(row + 1), cols) ? '' : '\r\n';
  }
  return text;
}

/** Ends with plain attributes, so that a new line is not filled with colour. */
function paintLine(line: Line, cols: number): string {
  let text = '';
  let current = plain;
  let column = 0;
  while (column < cols) {
    const cell = line.getCell(column);
    if (cell === undefined) break;
    const wanted = attributes(cell);
    const blanks = countBlanks(line, column, cols);
    if (blanks > 0 && wanted === plain) {
      column += blanks;
      if (column < cols) text += `\x1b[${blanks}C`;
      continue;
    }
    if (wanted !== current) text += wanted;
    current = wanted;
    if (blanks > 0) {
      column += blanks;
      text += column < cols ? `\x1b[${blanks}X\x1b[${blanks}C` : '\x1b[K';
      continue;
    }
    text += cell.getChars();
    column += Math.max(1, cell.getWidth());
  }
  return current === plain ? text : text + plain;
}

/** Cells from `column` on that hold nothing and look the same. */
function countBlanks(line: Line, column: number, cols: number): number {
  const first = line.getCell(column);
  if (!isBlank(first)) return 0;
  const look = attributes(first);
  let end = column + 1;
  for (let cell = line.getCell(end); end < cols && isBlank(cell) && attributes(cell) === look; cell = line.getCell(end))
    end++;
  return end - column;
}

/** The second half of a wide character is empty too, but has no width. */
function isBlank(cell: Cell | undefined): cell is Cell {
  return cell !== undefined && cell.getChars() === '' && cell.getWidth() === 1;
}

function runsOn(line: Line, next: Line | undefined, cols: number): boolean {
  if (next?.isWrapped !== true) return false;
  const last = line.getCell(cols - 1);
  return last !== undefined && !isBlank(last) && !isBlank(next.getCell(0));
}
