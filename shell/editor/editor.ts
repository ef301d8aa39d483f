/**
 * The line editor: keys in, a changed text and requests to its owner out. It draws nothing and knows no clock; what is to be drawn is
 * `view`, for layout.ts. Keys go to the submode if there is one, else through the keymap of the mode, after prefix and count.
 */
import { emacsKeymap } from './emacs-keymap.ts';
import type { EditingMode, EditorCommand, EditorRequest, Keymap } from './editor-state.ts';
import { floorBoundary } from './graphemes.ts';
import type { HistoryView } from './history-view.ts';
import { type InputEvent, type Key, withoutAlt } from './key-event.ts';
import { type EditorOptions, LiveState } from './live-state.ts';
import { selfInsert } from './text-commands.ts';
import { viCommandKeymap, viInsertKeymap } from './vi-keymaps.ts';

export type { EditorOptions };

export interface EditorView {
  readonly text: string;
  /** UTF-16 offset in `text`. */
  readonly cursor: number;
  /** Grey, behind the text; empty where nothing is suggested. */
  readonly suggestion: string;
  /** Stands in place of the prompt: a search, a count, quoted insert. */
  readonly prompt: string | undefined;
  /** `text` is not the line but a pattern: neither highlighted nor completed. */
  readonly isPattern: boolean;
  readonly mode: EditingMode;
  readonly isViCommand: boolean;
}

const maxCount = 1_000_000;

export class LineEditor {
  readonly #state: LiveState;
  #argument: { readonly sign: 1 | -1; readonly digits: string } | undefined;
  #isPrefixed = false;

  constructor(options: EditorOptions = {}) {
    this.#state = new LiveState(options);
  }

  /** @returns what the owner is to do, in order; mostly nothing. After every call the view may be another. */
  handle(event: InputEvent): EditorRequest[] {
    const state = this.#state;
    if (event.type === 'paste') this.#paste(event.text);
    else this.#key(event);
    state.keepCursorInside();
    return state.takeRequests();
  }

  get view(): EditorView {
    const { buffer, submode, mode, vi } = this.#state;
    const typed = submode?.typed;
    return {
      text: typed ?? buffer.text,
      cursor: typed?.length ?? buffer.cursor,
      suggestion: typed === undefined ? this.#state.suggestion() : '',
      prompt: submode?.prompt ?? this.#argumentPrompt(),
      isPattern: typed !== undefined,
      mode,
      isViCommand: mode === 'vi' && vi.isCommand,
    };
  }

  get text(): string {
    return this.#state.buffer.text;
  }

  get cursor(): number {
    return this.#state.buffer.cursor;
  }

  /** What is suggested behind the text. */
  get suggestion(): string {
    return this.#state.suggestion();
  }

  /** A search, a pattern or a count is under way: completion and menus wait. */
  get isBusy(): boolean {
    return this.#state.submode !== undefined || this.#argument !== undefined || this.#isPrefixed;
  }

  /** Begins a new line. `history` replaces the view given before; `entry` is the number of the entry to begin with (C-o). */
  reset(begin: { readonly history?: HistoryView; readonly entry?: number; readonly text?: string } = {}): void {
    this.#argument = undefined;
    this.#isPrefixed = false;
    this.#state.restart(begin.history);
    if (begin.text !== undefined) this.#state.buffer.reset(begin.text);
    if (begin.entry !== undefined) this.#state.walk.go(begin.entry);
  }

  /** More of the history is known than when the line began. Who walks through it or searches it goes on with what there was. */
  takeHistory(history: HistoryView): void {
    if (this.#state.walk.isAtBottom && !this.isBusy) this.#state.takeHistory(history);
  }

  /** Puts another text in place of all of it, undone in one step: what an external editor gave back. */
  setText(text: string, cursor: number = text.length): void {
    this.replaceRange(0, this.text.length, text);
    this.#state.buffer.cursor = floorBoundary(text, cursor);
  }

  /** A completion taken: undone on its own. The cursor is left behind what was inserted. */
  replaceRange(start: number, end: number, inserted: string): void {
    const { buffer } = this.#state;
    const from = floorBoundary(buffer.text, Math.min(start, end));
    buffer.closeUndoGroup();
    buffer.replace(from, Math.min(Math.max(start, end, from), buffer.text.length), inserted);
    buffer.closeUndoGroup();
    this.#state.lastKind = 'other';
  }

  /** `set -o vi` and `set -o emacs`. */
  setMode(mode: EditingMode): void {
    this.#state.mode = mode;
    this.#state.vi.isCommand = false;
    this.#state.submode = undefined;
  }

  #key(key: Key): void {
    const state = this.#state;
    if (state.mode === 'vi' && this.#isEscapeTyped(key)) {
      this.#key({ type: 'key', name: 'escape', text: '\u{1b}', raw: '\u{1b}' });
      state.keepCursorInside();
      this.#key(withoutAlt(key));
      return;
    }
    const { submode } = state;
    if (submode !== undefined) {
      const result = submode.handle(key);
      if (result !== 'stay' && state.submode === submode) state.submode = undefined;
      if (result === 'done') state.lastKind = 'other';
      if (result !== 'pass') return;
    }
    if (this.#takePrefix(key) || this.#takeArgument(key)) return;
    this.#run(key);
  }

  /** Escape and another key sent at once look like that key with Alt. */
  #isEscapeTyped(key: Key): boolean {
    return /^(?:C-)?M-/.test(key.name) && !this.#keymap().has(key.name);
  }

  #keymap(): Keymap {
    const { mode, vi } = this.#state;
    if (mode === 'emacs') return emacsKeymap;
    return vi.isCommand ? viCommandKeymap : viInsertKeymap;
  }

  #takePrefix(key: Key): boolean {
    if (this.#isPrefixed || key.name !== 'C-x' || this.#state.mode !== 'emacs') return false;
    this.#isPrefixed = true;
    return true;
  }

  /** M-digit begins a count, plain digits go on with it; in vi's command mode plain digits begin it, too. */
  #takeArgument(key: Key): boolean {
    const { mode, vi } = this.#state;
    if (this.#isPrefixed || (mode === 'vi' && !vi.isCommand)) return false;
    const begun = this.#argument;
    const name = mode === 'emacs' ? key.name.replace(/^M-(?=[-0-9]$)/, '') : key.name;
    const isPlainKey = name === key.name;
    if (/^[0-9]$/.test(name)) {
      if (begun === undefined && mode === 'emacs' && isPlainKey) return false;
      if (begun === undefined && mode === 'vi' && name === '0') return false;
      this.#argument = { sign: begun?.sign ?? 1, digits: `${begun?.digits ?? ''}${name}` };
      return true;
    }
    if (name !== '-' || mode === 'vi' || (begun === undefined ? isPlainKey : begun.digits !== '' || begun.sign < 0)) {
      return false;
    }
    this.#argument = { sign: -1, digits: '' };
    return true;
  }

  #run(key: Key): void {
    const state = this.#state;
    const argument = this.#argument;
    state.buffer.isGrouping = state.mode === 'vi' && !state.vi.isCommand;
    const name = this.#isPrefixed ? `C-x ${key.name}` : key.name;
    const command = this.#keymap().get(name) ?? this.#fallback(key);
    const count = argument === undefined ? 1 : argument.sign * Number(argument.digits === '' ? 1 : argument.digits);
    const bounded = Math.max(-maxCount, Math.min(maxCount, count));
    this.#argument = undefined;
    this.#isPrefixed = false;
    state.kind = 'other';
    if (command === undefined) state.bell();
    else {
      if (command !== selfInsert) state.buffer.closeUndoGroup();
      command(state, { key, count: bounded, isExplicit: argument !== undefined });
    }
    state.lastKind = state.kind;
  }

  #fallback(key: Key): EditorCommand | undefined {
    const { mode, vi } = this.#state;
    const isTyped = key.text !== '' && key.name === key.text && !this.#isPrefixed;
    return isTyped && (mode === 'emacs' || !vi.isCommand) ? selfInsert : undefined;
  }

  #paste(text: string): void {
    const state = this.#state;
    const { submode } = state;
    if (submode !== undefined) {
      const result = submode.paste(text);
      if (result === 'stay') return;
      if (state.submode === submode) state.submode = undefined;
    }
    this.#argument = undefined;
    this.#isPrefixed = false;
    state.buffer.closeUndoGroup();
    state.buffer.insert(text);
    state.buffer.closeUndoGroup();
    state.lastKind = 'other';
  }

  #argumentPrompt(): string | undefined {
    const argument = this.#argument;
    if (argument === undefined) return undefined;
    return `(arg: ${argument.sign < 0 ? '-' : ''}${argument.digits === '' ? '1' : argument.digits}) `;
  }
}
