/** The state that one editor keeps while it lives: buffer, kill ring and vi's memory outlast the line, the rest begins anew with it. */
import type { CommandKind, EditingMode, EditorRequest, EditorState, LastArgument, Submode } from './editor-state.ts';
import { previousBoundary } from './graphemes.ts';
import { type HistoryView, noHistory } from './history-view.ts';
import { HistoryWalk } from './history-walk.ts';
import { KillRing } from './kill-ring.ts';
import { LineBuffer } from './line-buffer.ts';
import { Suggester } from './suggestion.ts';
import { newViState } from './vi-state.ts';
import { lineEnd, lineStart } from './words.ts';

export interface EditorOptions {
  /** Default emacs. */
  readonly mode?: EditingMode;
  readonly history?: HistoryView;
  /** Enter on such a text begins another line. Default: no text is. */
  readonly isUnfinished?: (text: string) => boolean;
}

export class LiveState implements EditorState {
  readonly buffer = new LineBuffer();
  readonly killRing = new KillRing();
  readonly walk: HistoryWalk;
  readonly vi = newViState();
  readonly #suggester: Suggester;
  readonly #isUnfinished: (text: string) => boolean;
  mode: EditingMode;
  lastKind: CommandKind = 'other';
  kind: CommandKind = 'other';
  submode: Submode | undefined;
  isOverwriting = false;
  goalColumn = 0;
  lastArgument: LastArgument | undefined;
  searchedPrefix = '';
  lastSearch = '';
  #requests: EditorRequest[] = [];

  constructor(options: EditorOptions) {
    const history = options.history ?? noHistory;
    this.mode = options.mode ?? 'emacs';
    this.walk = new HistoryWalk(this.buffer, history);
    this.#suggester = new Suggester(history);
    this.#isUnfinished = options.isUnfinished ?? (() => false);
  }

  isUnfinished(text: string): boolean {
    return this.#isUnfinished(text);
  }

  /** Only at the end of a line that the person is writing: not in a search, nor on an entry walked to. */
  suggestion(): string {
    const { buffer, walk, mode, vi } = this;
    const isWriting = walk.isAtBottom && buffer.cursor === buffer.text.length && this.submode === undefined;
    return isWriting && !(mode === 'vi' && vi.isCommand) ? this.#suggester.tailOf(buffer.text) : '';
  }

  request(request: EditorRequest): void {
    this.#requests.push(request);
  }

  bell(): void {
    this.#requests.push({ type: 'bell' });
  }

  takeRequests(): EditorRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  /** In vi's command mode the cursor stands on a character, not behind the last. */
  keepCursorInside(): void {
    const { buffer, mode, vi } = this;
    if (mode !== 'vi' || !vi.isCommand) return;
    const { text, cursor } = buffer;
    if (cursor === lineEnd(text, cursor) && cursor > lineStart(text, cursor))
      buffer.cursor = previousBoundary(text, cursor);
  }

  takeHistory(history: HistoryView | undefined): void {
    this.walk.restart(history);
    this.#suggester.restart(history);
  }

  restart(history: HistoryView | undefined): void {
    this.buffer.reset('');
    this.takeHistory(history);
    this.submode = undefined;
    this.isOverwriting = false;
    this.lastKind = 'other';
    this.vi.isCommand = false;
    this.vi.insertion = undefined;
    this.vi.marks.clear();
  }
}
