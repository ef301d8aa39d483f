/**
 * Reads one line after the other at the prompt: keys go to the menu or the editor, and the frame is drawn anew after each. Between two
 * lines the terminal is somebody else's; what is told meanwhile comes above the next prompt.
 */
import type { CompletionSources } from '../completion/index.ts';
import type { EditorRequest } from '../editor/editor-state.ts';
import { LineLayout, type LayoutInput } from '../editor/layout.ts';
import type { StyledRun, StyledSpan } from '../editor/styled-run.ts';
import { LineEditor, type EditorView } from '../editor/editor.ts';
import type { HistoryView } from '../editor/history-view.ts';
import { KeyDecoder } from '../editor/key-decoder.ts';
import type { InputEvent, Key } from '../editor/key-event.ts';
import { escapeLines } from '../escape.ts';
import { Completer } from './completer.ts';
import { composeFrame } from './frame.ts';
import type { InkScreen } from './ink-screen.ts';
import type { Keyboard } from './keyboard.ts';

export interface LineReaderOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly screen: InkScreen;
  readonly keyboard: Keyboard;
  readonly isUnfinished: (text: string) => boolean;
  readonly sources: () => CompletionSources | undefined;
  readonly spansOf: (text: string) => readonly StyledSpan[];
  /** As things are now. */
  readonly prompt: (columns: number) => readonly StyledRun[];
  /** The line below everything; empty: none. */
  readonly status: (columns: number) => string;
  readonly colour: () => boolean;
  /** C-x C-e. @returns the text that comes back; undefined: as it was. */
  readonly editExternally: (text: string) => Promise<string | undefined>;
}

export type LineEnd =
  | { readonly kind: 'line'; readonly text: string; readonly nextEntry: number | undefined }
  /** C-c. */
  | { readonly kind: 'interrupt' }
  /** C-d on an empty line. */
  | { readonly kind: 'end' }
  /** The terminal has gone. */
  | { readonly kind: 'gone' };

/** An escape with nothing behind it for so long is the key. */
const escapeMs = 50;
/** A paste whose end does not come for so long has none. */
const pasteMs = 2_000;

export class LineReader {
  readonly #options: LineReaderOptions;
  readonly editor: LineEditor;
  readonly #completer: Completer;
  readonly #decoder = new KeyDecoder();
  readonly #layout = new LineLayout();
  #timer: NodeJS.Timeout | undefined;
  /** Set while a line is being typed. */
  #finish: ((end: LineEnd) => void) | undefined;
  #news: string[] = [];
  /** Typed behind the end of the last line. */
  #ahead: InputEvent[] = [];
  #hasGone = false;

  constructor(options: LineReaderOptions) {
    this.#options = options;
    this.editor = new LineEditor({ isUnfinished: options.isUnfinished });
    this.#completer = new Completer({
      editor: this.editor,
      sources: options.sources,
      onChange: () => this.draw(),
      onNothing: () => this.#options.stdout.write('\u0007'),
      onHeld: (keys) => this.#take(keys),
    });
    options.keyboard.listen({
      onBytes: (bytes) => this.#take(this.#decoder.push(bytes)),
      onSuspend: () => options.screen.erase(),
      onResume: () => this.draw(),
      onEnd: () => this.leave(),
    });
  }

  get isReading(): boolean {
    return this.#finish !== undefined;
  }

  async read(history: HistoryView, entry: number | undefined): Promise<LineEnd> {
    if (this.#hasGone) return { kind: 'gone' };
    this.#layout.reset();
    this.editor.reset({ history, ...(entry === undefined ? {} : { entry }) });
    const ended = new Promise<LineEnd>((resolve) => {
      this.#finish = resolve;
    });
    this.#options.keyboard.take();
    for (const text of this.#news.splice(0)) this.tell(text);
    this.draw();
    this.#take(this.#ahead.splice(0));
    return await ended;
  }

  /** More of the history is known than when the line began. */
  takeHistory(history: HistoryView): void {
    if (this.#finish === undefined) return;
    this.editor.takeHistory(history);
    this.draw();
  }

  /** What was typed behind the end of the line, as it came: whatever the line runs may want to read it. */
  takeAhead(): Buffer {
    const events = this.#ahead.splice(0);
    const texts = events.map((event) => (event.type === 'paste' ? `\u001b[200~${event.text}\u001b[201~` : event.raw));
    return Buffer.from(texts.join(''));
  }

  /** Above the prompt, or before the next one. */
  tell(text: string): void {
    if (this.#finish === undefined) this.#news.push(text);
    else this.#options.screen.printAbove(`${escapeLines(text)}\n`);
  }

  /** Gives up: the terminal has gone, or the shell is told to end. */
  leave(): void {
    this.#hasGone = true;
    clearTimeout(this.#timer);
    this.#completer.close();
    if (this.#finish !== undefined) this.#options.screen.erase();
    this.#end({ kind: 'gone' });
  }

  /** The frame as things are now. */
  draw(): void {
    if (this.#finish === undefined) return;
    const { screen, status, colour, stdout } = this.#options;
    // A key may be here before the signal that the window has another size: a frame of the old width would be broken anew by the terminal.
    refreshSize(stdout);
    const { columns, rows } = this.#size;
    const below = this.#completer.lines({ columns, rows: Math.max(2, Math.floor((rows - 2) / 2)) }, colour());
    const typed = this.#typed(this.editor.view, columns);
    screen.draw(composeFrame(this.#layout, { typed, below, status: status(columns) }, { columns, rows }, colour()));
  }

  #take(events: readonly InputEvent[]): void {
    clearTimeout(this.#timer);
    for (const [i, event] of events.entries()) {
      if (this.#finish === undefined) {
        this.#ahead.push(...events.slice(i));
        return;
      }
      this.#takeOne(event);
    }
    if (this.#decoder.isUndecided) this.#wait(escapeMs, () => this.#decoder.flush());
    else if (this.#decoder.isPasting) this.#wait(pasteMs, () => this.#decoder.endPaste());
    // A long paste comes in hundreds of pieces, of which only the last changes anything.
    if (events.length > 0) this.draw();
  }

  #wait(ms: number, then: () => InputEvent[]): void {
    this.#timer = setTimeout(() => this.#take(then()), ms);
  }

  #takeOne(event: InputEvent): void {
    if (event.type === 'paste' ? this.#completer.takePaste(event) : this.#takeForMenu(event)) return;
    for (const request of this.editor.handle(event)) this.#serve(request);
  }

  #takeForMenu(key: Key): boolean {
    return !this.editor.isBusy && this.#completer.takeKey(key);
  }

  #serve(request: EditorRequest): void {
    const { screen, stdout } = this.#options;
    switch (request.type) {
      case 'accept':
        return this.#leaveLine('', { kind: 'line', text: request.text, nextEntry: request.nextHistory });
      case 'end':
        return this.#leaveLine('', { kind: 'end' });
      case 'interrupt':
        return this.#leaveLine('^C', { kind: 'interrupt' });
      case 'complete':
        return this.#completer.start(request.how);
      case 'clear-screen':
        screen.forget();
        stdout.write('\u001b[H\u001b[2J');
        return;
      case 'bell':
        stdout.write('\u0007');
        return;
      case 'edit-externally':
        void this.#editExternally(request.text);
    }
  }

  /** What was typed stays on the terminal, in full, with nothing below it. */
  #leaveLine(mark: string, end: LineEnd): void {
    this.#completer.close();
    const { columns, rows } = this.#size;
    const { view } = this.editor;
    const text = view.text + mark;
    const last: EditorView = {
      ...view,
      text,
      cursor: text.length,
      suggestion: '',
      prompt: undefined,
      isPattern: mark !== '',
    };
    const parts = { typed: this.#typed(last, columns), below: [], status: '' };
    const { lines } = composeFrame(this.#layout, parts, { columns, rows }, this.#options.colour());
    this.#options.screen.leave({ lines });
    this.#end(end);
  }

  #end(end: LineEnd): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(end);
  }

  async #editExternally(text: string): Promise<void> {
    const { screen, keyboard, editExternally, stdout } = this.#options;
    const finish = this.#finish;
    screen.erase();
    keyboard.lend();
    this.#finish = undefined;
    const edited = await editExternally(text).catch(() => undefined);
    this.#finish = finish;
    keyboard.take();
    if (edited === undefined) stdout.write('\u0007');
    else this.editor.setText(edited);
    this.draw();
  }

  #typed(view: EditorView, columns: number): Omit<LayoutInput, 'width' | 'maxRows'> {
    const { text, cursor, suggestion, prompt, isPattern } = view;
    return {
      prompt: prompt === undefined ? this.#options.prompt(columns) : [{ text: prompt, style: '' }],
      continuation: [{ text: '> ', style: 'suggestion' }],
      text,
      cursor,
      spans: isPattern ? [] : this.#options.spansOf(text),
      suggestion,
    };
  }

  get #size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#options.stdout;
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }
}

/** What Node itself calls at SIGWINCH; there is no other way to ask for the size as it is now. */
function refreshSize(stdout: NodeJS.WriteStream & { readonly _refreshSize?: () => void }): void {
  stdout._refreshSize?.();
}
