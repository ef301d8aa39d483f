/**
 * Tab: asks for completions, shows what comes as a menu, and puts what is chosen into the line. Keys are never held up: what is typed
 * while nodes are still being asked ends the asking.
 */
import { complete, moveMenu, openMenu, updateMenu, viewMenu } from '../completion/index.ts';
import type { Completion, CompletionItem, CompletionSources, Menu, MenuMove } from '../completion/index.ts';
import type { LineEditor } from '../editor/editor.ts';
import type { InputEvent, Key, Paste } from '../editor/key-event.ts';

export type CompletionStyle = 'menu' | 'list' | 'insert-all';

export interface CompleterOptions {
  readonly editor: Pick<LineEditor, 'text' | 'cursor' | 'replaceRange' | 'setText'>;
  /** Undefined: there is nobody to ask yet. */
  readonly sources: () => CompletionSources | undefined;
  readonly onChange: () => void;
  readonly onNothing: () => void;
  /** Enter behind a Tab that is still being answered, and what was typed behind it: to be taken now. */
  readonly onHeld: (events: readonly InputEvent[]) => void;
}

export interface MenuSpace {
  readonly columns: number;
  readonly rows: number;
}

const moves: Readonly<Record<string, MenuMove>> = {
  tab: 'next',
  'S-tab': 'previous',
  down: 'down',
  up: 'up',
  left: 'left',
  right: 'right',
  pageup: 'pageUp',
  pagedown: 'pageDown',
  'C-n': 'down',
  'C-p': 'up',
};
/** These open the way into a menu in which nothing is chosen yet; other moves are the editor's. */
const entering: ReadonlySet<string> = new Set(['tab', 'S-tab', 'down']);

interface Open {
  /** Line and cursor as they were, to go back to. */
  readonly before: { readonly text: string; readonly cursor: number };
  readonly style: CompletionStyle;
  readonly abort: AbortController;
  /** The part of the line that is replaced; its end moves with what is put there. */
  start: number;
  end: number;
  menu: Menu;
  isDone: boolean;
  /** Nothing has come for a while. */
  isSlow: boolean;
  /** Begins with Enter: the line is to run as it will be completed. */
  readonly held: InputEvent[];
}

/** What a node that is near answers in shows no sign of waiting. */
const slowMs = 200;
const asking = 'asking…';

export class Completer {
  readonly #options: CompleterOptions;
  #open: Open | undefined;
  /** Of the menu as it was drawn last: a page. */
  #space: MenuSpace = { columns: 80, rows: 10 };

  constructor(options: CompleterOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  start(style: CompletionStyle): void {
    this.close();
    const sources = this.#options.sources();
    if (sources === undefined) return this.#options.onNothing();
    const { text, cursor } = this.#options.editor;
    const abort = new AbortController();
    const menu = openMenu([]);
    const open = {
      before: { text, cursor },
      style,
      abort,
      start: cursor,
      end: cursor,
      menu,
      isDone: false,
      isSlow: false,
      held: [],
    };
    this.#open = open;
    setTimeout(() => this.#tellSlow(open), slowMs).unref();
    void this.#follow(open, complete(text, cursor, sources, abort.signal));
  }

  /** @returns true where it waits behind an Enter. */
  takePaste(paste: Paste): boolean {
    if (this.#open === undefined || this.#open.held.length === 0) {
      this.close();
      return false;
    }
    this.#open.held.push(paste);
    return true;
  }

  /** @returns true where the key was the menu's, and the editor does not get it. */
  takeKey(key: Key): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    if (this.#hold(open, key)) return true;
    const { selected, items } = open.menu;
    const move = moves[key.name];
    if (items.length > 0 && move !== undefined && (selected >= 0 || entering.has(key.name))) {
      this.#move(open, move);
      return true;
    }
    // Still asking: a second Tab asks nothing new.
    if (items.length === 0 && key.name === 'tab') return true;
    if (key.name === 'escape' || key.name === 'C-g') {
      if (selected >= 0) this.#options.editor.setText(open.before.text, open.before.cursor);
      this.close();
      return true;
    }
    if (selected >= 0 && (key.name === 'enter' || key.name === ' ')) {
      const append = items[selected]?.append ?? '';
      if (append !== '') this.#options.editor.replaceRange(open.end, open.end, append);
      this.close();
      return key.name === 'enter' || append !== '';
    }
    this.close();
    return false;
  }

  /** Whoever types Tab and Enter in one go means the line that Tab makes; Ctrl-C gives both up. */
  #hold({ isDone, style, menu, held }: Open, key: Key): boolean {
    if (isDone || style !== 'menu' || menu.selected >= 0 || key.name === 'C-c') return false;
    if (key.name !== 'enter' && held.length === 0) return false;
    held.push(key);
    return true;
  }

  close(): void {
    this.#open?.abort.abort();
    this.#open = undefined;
  }

  /** Fitted to the width; empty where there is nothing to choose from. */
  lines(space: MenuSpace, colour: boolean): string[] {
    this.#space = space;
    const open = this.#open;
    if (open === undefined) return [];
    if (open.menu.items.length === 0) return open.isSlow ? [colour ? `\u001b[2m${asking}\u001b[22m` : asking] : [];
    const rows = Math.max(1, space.rows - 1);
    const { rows: seen, above, below } = viewMenu(open.menu, { columns: space.columns - 1, rows });
    const lines = seen.map((cells) =>
      cells
        .map(({ text, description, isSelected }) => {
          const shown = isSelected ? `\u001b[7m${text}\u001b[27m` : text;
          if (description === undefined) return shown;
          return `${shown}  ${colour ? `\u001b[2m${description}\u001b[22m` : description}`;
        })
        .join('  '),
    );
    const rest = above + below > 0 ? `… ${open.menu.items.length} choices, ${above} rows above, ${below} below` : '';
    const text = (open.isDone ? rest : `${rest} ${asking}`.trim()).slice(0, space.columns - 1);
    return text.trim() === '' ? lines : [...lines, colour ? `\u001b[2m${text}\u001b[22m` : text];
  }

  #tellSlow(open: Open): void {
    if (this.#open !== open || open.isDone) return;
    open.isSlow = true;
    this.#options.onChange();
  }

  async #follow(open: Open, completions: AsyncIterable<Completion>): Promise<void> {
    let last: Completion | undefined;
    try {
      for await (const completion of completions) {
        if (this.#open !== open) return;
        last = completion;
        this.#take(open, completion);
      }
    } catch {
      // A source that fails has nothing to offer; why is told where its node is used.
    }
    if (this.#open !== open || last?.done === true) return;
    this.#finish(open, last ?? { start: open.start, end: open.end, items: [], common: undefined, done: true });
  }

  #take(open: Open, completion: Completion): void {
    const { items, done } = completion;
    if (open.menu.selected < 0) [open.start, open.end] = [completion.start, completion.end];
    open.menu = updateMenu(open.menu, items);
    if (done) this.#finish(open, completion);
    else if (items.length > 0) this.#options.onChange();
  }

  #finish(open: Open, completion: Completion): void {
    open.isDone = true;
    this.#insert(open, completion);
    if (open.held.length === 0) return;
    this.close();
    this.#options.onHeld(open.held);
  }

  #insert(open: Open, { items, common }: Completion): void {
    const { editor, onChange, onNothing } = this.#options;
    const [only] = items;
    if (open.menu.selected >= 0) return onChange();
    if (only === undefined) {
      this.close();
      onNothing();
    } else if (open.style === 'insert-all') {
      editor.replaceRange(open.start, open.end, items.map(({ insert }) => `${insert} `).join(''));
      this.close();
    } else if (items.length === 1 && open.style === 'menu') {
      editor.replaceRange(open.start, open.end, only.insert + only.append);
      this.close();
    } else if (common !== undefined && open.style === 'menu') {
      this.#put(open, common);
    }
    onChange();
  }

  #move(open: Open, move: MenuMove): void {
    open.menu = moveMenu(open.menu, move, {
      columns: this.#space.columns - 1,
      rows: Math.max(1, this.#space.rows - 1),
    });
    const item: CompletionItem | undefined = open.menu.items[open.menu.selected];
    if (item !== undefined) this.#put(open, item.insert);
  }

  #put(open: Open, text: string): void {
    this.#options.editor.replaceRange(open.start, open.end, text);
    open.end = open.start + text.length;
  }
}
