/** What a tmux pane shows, as `capture-pane -e` tells it: text, colours, cursor. Pure. */

export interface Cell {
  readonly text: string;
  /** SGR codes that hold here, sorted: `1`, `36`; `38;5;240` for a colour of the palette. */
  readonly style: readonly string[];
}

export interface PaneFacts {
  readonly cursor: { readonly x: number; readonly y: number };
  readonly columns: number;
  readonly height: number;
  readonly isAlternate: boolean;
  readonly isCursorShown: boolean;
  /** The program has closed the terminal. */
  readonly isEnded: boolean;
  /** Exit status of the program in the pane, 128 + n where signal n ended it; undefined while it runs, and until tmux has learnt it. */
  readonly status: number | undefined;
}

/** In the order in which `parseFacts` reads them. */
export const factsFormat =
  '#{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{alternate_on} #{cursor_flag} #{pane_dead} #{pane_dead_status}:#{pane_dead_signal}';

export class TmuxScreen {
  readonly facts: PaneFacts;
  readonly #cells: readonly (readonly Cell[])[];
  /** Without blanks at their ends. */
  readonly rows: readonly string[];

  /** @param captured the line of `factsFormat`, then what `capture-pane -p -e` prints. */
  constructor(captured: string) {
    const end = captured.indexOf('\n');
    this.facts = parseFacts(captured.slice(0, end));
    this.#cells = parseCells(captured.slice(end + 1).replace(/\n$/, ''));
    this.rows = this.#cells.map((cells) =>
      cells
        .map(({ text }) => text)
        .join('')
        .trimEnd(),
    );
  }

  get text(): string {
    return this.rows.join('\n');
  }

  get cursor(): { readonly x: number; readonly y: number } {
    return this.facts.cursor;
  }

  /** The row in which the cursor stands. */
  get cursorRow(): string {
    return this.rows[this.cursor.y] ?? '';
  }

  /** Each character with its colours. */
  get cells(): readonly (readonly Cell[])[] {
    return this.#cells;
  }

  /** Rows from the top that hold `text`. */
  rowsWith(text: string): number[] {
    return this.rows.flatMap((row, y) => (row.includes(text) ? [y] : []));
  }

  /** How the first character of `text` looks where it stands last on the screen. @throws Error where it does not. */
  styleOf(text: string): readonly string[] {
    for (let y = this.rows.length - 1; y >= 0; y--) {
      const x = (this.rows[y] ?? '').lastIndexOf(text);
      if (x < 0) continue;
      // Where cells hold more than one code unit the index of the text is not that of the cell.
      let at = 0;
      for (const cell of this.#cells[y] ?? []) {
        if (at >= x) return cell.style;
        at += cell.text.length;
      }
    }
    throw new Error(`${JSON.stringify(text)} is not on the screen:\n${this.text}`);
  }
}

function parseFacts(line: string): PaneFacts {
  const [x, y, columns, height, alternate, cursor, dead, end = ''] = line.split(' ');
  return {
    cursor: { x: Number(x), y: Number(y) },
    columns: Number(columns),
    height: Number(height),
    isAlternate: alternate === '1',
    isCursorShown: cursor === '1',
    isEnded: dead === '1',
    status: dead === '1' ? parseEnd(end) : undefined,
  };
}

/** tmux knows that the terminal was closed before it knows how the program ended: neither is there then. */
function parseEnd(end: string): number | undefined {
  const [status = '', signal = ''] = end.split(':');
  if (signal !== '') return 128 + Number(signal);
  return status === '' ? undefined : Number(status);
}

/** Styles go on from row to row, as tmux prints them. */
function parseCells(captured: string): Cell[][] {
  let style = new Set<string>();
  return captured.split('\n').map((row) => {
    const cells: Cell[] = [];
    for (const [, codes, text] of row.matchAll(/\u001b\[([\d;:]*)m|(?:\u001b.|\u000e|\u000f)|([^\u001b])/gsu)) {
      if (codes !== undefined) style = applySgr(style, codes);
      else if (text !== undefined) cells.push({ text, style: [...style].toSorted() });
    }
    return cells;
  });
}

/** Codes of one kind replace each other: colours by their ground, attributes by what ends them. */
function applySgr(before: ReadonlySet<string>, codes: string): Set<string> {
  const style = new Set(before);
  const without = (is: (code: string) => boolean): void => {
    for (const code of style) if (is(code)) style.delete(code);
  };
  const words = codes.replace(/([34]8)[;:](?:5[;:]\d+|2(?:[;:]\d+){3})/g, (colour) => colour.replaceAll(/[;:]/g, '_'));
  for (const word of words.split(';')) {
    const code = Number.parseInt(word, 10) || 0;
    if (code === 0) style.clear();
    else if (code === 22) without((each) => each === '1' || each === '2');
    else if (code >= 23 && code <= 29) without((each) => each === String(code - 20));
    else if (code === 39 || isForeground(code)) without((each) => isForeground(Number.parseInt(each, 10)));
    else if (code === 49 || isBackground(code)) without((each) => isBackground(Number.parseInt(each, 10)));
    if (code > 0 && code !== 39 && code !== 49 && !(code >= 22 && code <= 29)) style.add(word.replaceAll('_', ';'));
  }
  return style;
}

function isForeground(code: number): boolean {
  return (code >= 30 && code <= 38) || (code >= 90 && code <= 97);
}

function isBackground(code: number): boolean {
  return (code >= 40 && code <= 48) || (code >= 100 && code <= 107);
}
