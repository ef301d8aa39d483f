/**
 * The last screen of a process that has ended, as lines to be printed below what is on the person's terminal. Pure. What the agent sends
 * draws a screen from its first row: rows of text, colours, moves to the right and erasures, each row ended by CR LF (one that ran on
 * into the next by nothing). The first thing of another kind ends the rows; nothing but rows is printed, so no mode is left on.
 */
import type { ScreenResult } from '../../src/protocol/control.ts';
import { displayWidth } from '../escape.ts';

const cleared = '\u001b[2J';
const alternateOn = '\u001b[?1049h\u001b[H';
const part = /\r\n|\u001b\[([\d;]*)([mCXK])|[^\u0000-\u001f\u007f-\u009f]+/y;
const plain = '\u001b[0m';

export interface EndedScreenOptions {
  /** What lay above the last screen too: lines that had scrolled off it, the main screen behind an alternate one. */
  readonly withHistory: boolean;
  /** Columns of the person's terminal; absent: not known. */
  readonly columns: number | undefined;
}

export function endedScreen(
  { data, cols }: Pick<ScreenResult, 'data' | 'cols'>,
  { withHistory, columns = cols }: EndedScreenOptions,
): string {
  const text = Buffer.from(data, 'base64').toString('utf8');
  const main = text.indexOf(cleared);
  const alternate = text.indexOf(alternateOn);
  const rows =
    alternate === -1 || withHistory ? readRows(text, main === -1 ? 0 : main + cleared.length, cols, columns) : [];
  if (alternate !== -1) rows.push(...readRows(text, alternate + alternateOn.length, cols, columns));
  return rows.map((row) => `${row}\n`).join('');
}

/** Without the empty ones at the end. */
function readRows(text: string, from: number, cols: number, columns: number): string[] {
  const rows: string[] = [];
  let row = new Row(cols, columns);
  part.lastIndex = from;
  for (let found = part.exec(text); found !== null; found = part.exec(text)) {
    const [piece, numbers = '', final] = found;
    if (final !== undefined) row.act(final, numbers, piece);
    else if (piece === '\r\n') {
      rows.push(row.end());
      row = new Row(cols, columns);
    } else row.write(piece);
  }
  rows.push(row.end());
  while (rows.at(-1) === '') rows.pop();
  return rows;
}

/** Underlined, inverse, struck out, overlined, or with a background: a blank of such a look can be seen. */
const seenOnBlanks = /[;[](?:4|7|9|53|4\d|10\d)(?=[;m])/;
const foreground = /;38;(?:5;\d+|2;\d+;\d+;\d+)/;

/** Moves and erasures become blanks: they would mean something else where the terminal has another width. */
class Row {
  readonly #cols: number;
  readonly #columns: number;
  #text = '';
  #column = 0;
  /** What is drawn next looks so, and what was drawn last did. */
  #look = plain;
  #drawn = plain;
  /** As far as there is something to be seen, and how the last of that looks. */
  #seen = 0;
  #seenLook = plain;
  #seenColumn = 0;
  #isErased = false;

  /** @param columns of the terminal that it is printed on. */
  constructor(cols: number, columns: number) {
    this.#cols = cols;
    this.#columns = columns;
  }

  /** Where the terminal is narrower, blanks at its end would be lines of their own: they are left out, coloured ones beyond its edge. */
  end(): string {
    let text = this.#text.slice(0, this.#seen);
    const beyond = this.#seenColumn > this.#cols ? 0 : Math.max(0, this.#seenColumn - this.#columns);
    const blanks = text.length - text.trimEnd().length;
    text = text.slice(0, text.length - Math.min(beyond, blanks));
    return text + (this.#seenLook === plain ? '' : plain);
  }

  act(final: string, numbers: string, sequence: string): void {
    if (final === 'm') this.#look = sequence;
    else if (final === 'X') this.#isErased = true;
    else if (final === 'K') this.#blanks(this.#cols - (this.#column % this.#cols), this.#look);
    else {
      // Over what was just erased, in its colour, or over what nothing was written to.
      this.#blanks(Math.min(this.#cols, Number(numbers) || 1), this.#isErased ? this.#look : plain);
      this.#isErased = false;
    }
  }

  write(text: string): void {
    this.#draw(text, this.#look);
  }

  #blanks(count: number, look: string): void {
    this.#draw(' '.repeat(count), look);
  }

  #draw(text: string, look: string): void {
    if (look !== this.#drawn) this.#text += look;
    this.#drawn = look;
    const seen = seenOnBlanks.test(look.replace(foreground, '')) ? text : text.trimEnd();
    if (seen !== '') {
      this.#seen = this.#text.length + seen.length;
      this.#seenLook = look;
      this.#seenColumn = this.#column + displayWidth(seen);
    }
    this.#text += text;
    this.#column += displayWidth(text);
  }
}
