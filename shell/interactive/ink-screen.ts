/**
 * A frame at the bottom of the terminal, drawn by Ink, that can be taken away and put back. Ink gets neither the real stdin nor the
 * real stdout: keys are read elsewhere, and its output goes through a stand-in that never resizes, so that what becomes of the frame
 * when the window changes is decided here. State lies outside React: whoever draws hands in a whole frame.
 */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ReactElement } from 'react';
import { displayWidth } from '../escape.ts';
import type { Instance, RenderOptions } from 'ink';

export interface Cursor {
  /** Cells from the left. */
  readonly x: number;
  /** Lines from the top of the frame. */
  readonly y: number;
}

export interface Frame {
  /** Each fits the terminal's width; SGR sequences may be in it, nothing else. Fewer than the terminal has rows. */
  readonly lines: readonly string[];
  /** Absent: no cursor is shown. */
  readonly cursor?: Cursor | undefined;
}

interface Ui {
  readonly mount: (frame: Frame, options: RenderOptions) => Instance;
  readonly element: (frame: Frame) => ReactElement;
}

let loading: Promise<Ui> | undefined;

/** Ink and React take 0.2 s to load: begun early, awaited where the first frame is drawn. */
export function loadUi(): Promise<Ui> {
  loading ??= importUi();
  return loading;
}

async function importUi(): Promise<Ui> {
  // Where CI is set Ink draws nothing until its end; a person who sits at a terminal wants to see something.
  const { CI, CONTINUOUS_INTEGRATION } = process.env;
  process.env['CI'] = '0';
  process.env['CONTINUOUS_INTEGRATION'] = '0';
  try {
    const [{ Text, render, useCursor }, { createElement }] = await Promise.all([import('ink'), import('react')]);
    const Screen = ({ lines, cursor }: Frame): ReactElement => {
      useCursor().setCursorPosition(cursor === undefined ? undefined : { ...cursor });
      return createElement(Text, undefined, lines.join('\n'));
    };
    const element = (frame: Frame): ReactElement => createElement(Screen, frame);
    return { element, mount: (frame, options) => render(element(frame), options) };
  } finally {
    restoreVariable('CI', CI);
    restoreVariable('CONTINUOUS_INTEGRATION', CONTINUOUS_INTEGRATION);
  }
}

function restoreVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** What Ink takes for the terminal. More columns than there are: lines come fitted, and Ink shall not wrap them. */
class InkOutput extends EventEmitter {
  readonly isTTY = true;
  readonly writable = true;
  readonly rows = Number.MAX_SAFE_INTEGER;
  columns: number;
  readonly #target: NodeJS.WriteStream;
  /** What is written meanwhile is dropped. */
  muted = false;
  #gathered: string | undefined;

  constructor(target: NodeJS.WriteStream) {
    super();
    this.#target = target;
    this.columns = target.columns + spareColumns;
  }

  write(text: string): boolean {
    if (this.muted || text === '') return true;
    if (this.#gathered === undefined) this.#target.write(text);
    else this.#gathered += text;
    return true;
  }

  /** Ink writes a frame in pieces; each would be a system call, and could wake up who draws it. */
  atOnce<T>(work: () => T): T {
    this.#gathered = '';
    try {
      return work();
    } finally {
      const text = this.#gathered;
      this.#gathered = undefined;
      if (text !== '') this.#target.write(text);
    }
  }
}

const spareColumns = 16;
const sgr = /\u001b\[[\d;:]*m/g;

export class InkScreen {
  readonly #ui: Ui;
  readonly #stdout: NodeJS.WriteStream;
  #output: InkOutput | undefined;
  #instance: Instance | undefined;
  #shown: Frame = { lines: [] };
  #columns = 0;

  private constructor(ui: Ui, stdout: NodeJS.WriteStream) {
    this.#ui = ui;
    this.#stdout = stdout;
  }

  static async open(stdout: NodeJS.WriteStream): Promise<InkScreen> {
    return new InkScreen(await loadUi(), stdout);
  }

  get isMounted(): boolean {
    return this.#instance !== undefined;
  }

  draw(frame: Frame): void {
    if (this.#stdout.columns !== this.#columns) this.#refit();
    this.#shown = frame;
    const output = (this.#output ??= new InkOutput(this.#stdout));
    output.atOnce(() => {
      if (this.#instance === undefined) this.#instance = this.#mount(frame, output);
      else this.#instance.rerender(this.#ui.element(frame));
    });
  }

  /** Text above the frame, which stays as it is. Ends in a line feed. */
  printAbove(text: string): void {
    const frame = this.#shown;
    const wasMounted = this.isMounted;
    this.erase();
    this.#stdout.write(text);
    if (wasMounted) this.draw(frame);
  }

  /** The cursor is at the beginning of the line below the last one of the frame, which stays on the terminal. */
  leave(last: Frame): void {
    this.draw({ lines: last.lines });
    this.#unmount(false);
  }

  /** Takes the frame off the terminal; the cursor is where its first line began. */
  erase(): void {
    this.#erase(false);
  }

  /** @param muted what Ink has not yet written stays unwritten: it would count on rows that have moved. */
  #erase(muted: boolean): void {
    if (this.#instance === undefined) return;
    const above = this.#rowsAboveCursor(this.#stdout.columns);
    this.#unmount(muted);
    this.#stdout.write(`${above > 0 ? `\u001b[${above}A` : ''}\r\u001b[J\u001b[?25h`);
  }

  /** As if nothing had been drawn: somebody else has cleared the screen. */
  forget(): void {
    this.#unmount(true);
  }

  /** The window has another width: the terminal has broken the lines of the frame anew. */
  #refit(): void {
    this.#erase(true);
    this.#columns = this.#stdout.columns;
  }

  #mount(frame: Frame, output: InkOutput): Instance {
    return this.#ui.mount(frame, {
      stdout: output as unknown as NodeJS.WriteStream,
      stderr: output as unknown as NodeJS.WriteStream,
      stdin: new PassThrough() as unknown as NodeJS.ReadStream,
      exitOnCtrlC: false,
      patchConsole: false,
      maxFps: 250,
    });
  }

  #unmount(muted: boolean): void {
    if (this.#output !== undefined) this.#output.muted = muted;
    this.#output?.atOnce(() => this.#instance?.unmount());
    this.#instance = undefined;
    this.#output = undefined;
    this.#shown = { lines: [] };
  }

  /** How many rows of the terminal lie above the cursor and belong to the frame. */
  #rowsAboveCursor(columns: number): number {
    const { lines, cursor } = this.#shown;
    const width = Math.max(1, columns);
    const above = lines.slice(0, cursor?.y ?? lines.length);
    const rows = above.map((line) => Math.max(1, Math.ceil(displayWidth(line.replace(sgr, '')) / width)));
    const own = cursor === undefined ? 0 : Math.floor(cursor.x / width);
    return rows.reduce((sum, each) => sum + each, own);
  }
}
