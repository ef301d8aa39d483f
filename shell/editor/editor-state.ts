/** What commands of the editor see and change, and what they ask of the editor's owner. */
import type { HistoryWalk } from './history-walk.ts';
import type { Key } from './key-event.ts';
import type { KillRing } from './kill-ring.ts';
import type { LineBuffer } from './line-buffer.ts';
import type { ViState } from './vi-state.ts';

/** What the owner is to do. */
export type EditorRequest =
  /** The text is finished. The owner runs it and calls `reset`, with the entry `nextHistory` where that is given (C-o). */
  | { readonly type: 'accept'; readonly text: string; readonly nextHistory?: number }
  /** C-d on an empty line. */
  | { readonly type: 'end' }
  /** C-c: the line is given up; the owner shows that and calls `reset`. */
  | { readonly type: 'interrupt' }
  /** Tab (menu), M-? (list), M-* (insert all); `backward` for Shift-Tab. */
  | { readonly type: 'complete'; readonly how: 'menu' | 'list' | 'insert-all'; readonly backward: boolean }
  /** C-x C-e, or v in vi: the owner opens an editor, and accepts what comes back. */
  | { readonly type: 'edit-externally'; readonly text: string }
  | { readonly type: 'clear-screen' }
  | { readonly type: 'bell' };

/** What the command before was, for those that go on with it. */
export type CommandKind =
  | 'other'
  | 'kill'
  | 'yank'
  | 'last-argument'
  | 'vertical'
  | 'delete'
  | 'prefix-search'
  | 'undo';

export type EditingMode = 'emacs' | 'vi';

/** Takes the keys for a while: quoted insert, searches, vi's f and r. */
export interface Submode {
  /** Stands in place of the prompt. */
  readonly prompt?: string;
  /** Text and cursor shown in place of the buffer's: what is typed at vi's `/`. */
  readonly typed?: string;
  /** `pass`: it is over, and the key means what it would have without it. */
  handle(key: Key): 'stay' | 'done' | 'pass';
  paste(text: string): 'stay' | 'done' | 'pass';
}

export interface EditorState {
  readonly buffer: LineBuffer;
  readonly killRing: KillRing;
  readonly walk: HistoryWalk;
  readonly vi: ViState;
  mode: EditingMode;
  /** Of the command before this one. */
  readonly lastKind: CommandKind;
  /** Of this one: set by the command itself where it is not `other`. */
  kind: CommandKind;
  submode: Submode | undefined;
  isOverwriting: boolean;
  /** Column that up and down keep to, while `lastKind` is `vertical`. */
  goalColumn: number;
  /** Where M-. found what it inserted last; valid while `lastKind` is `last-argument`. */
  lastArgument: LastArgument | undefined;
  /** Valid while `lastKind` is `prefix-search`. */
  searchedPrefix: string;
  /** What C-r or C-s looked for last, for when nothing is typed there. */
  lastSearch: string;
  isUnfinished(text: string): boolean;
  suggestion(): string;
  request(request: EditorRequest): void;
  bell(): void;
}

export interface LastArgument {
  readonly entry: number;
  readonly nth: number | undefined;
  /** -1 to older entries. */
  readonly step: number;
  /** Of what was inserted. */
  readonly length: number;
}

export interface Invocation {
  readonly key: Key;
  /** 1 where none was given; negative turns most commands around. */
  readonly count: number;
  /** A count was typed. */
  readonly isExplicit: boolean;
}

export type EditorCommand = (state: EditorState, invocation: Invocation) => void;

export type Keymap = ReadonlyMap<string, EditorCommand>;

/** The next key alone goes to `take`; a paste gives it up. */
export function takeNextKey(state: EditorState, take: (key: Key) => void, prompt?: string): void {
  state.submode = {
    ...(prompt === undefined ? {} : { prompt }),
    handle: (key) => {
      take(key);
      return 'done';
    },
    paste: () => 'pass',
  };
}
