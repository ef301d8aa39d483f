/** What vi mode remembers. Its state machine: insert ⇄ command; in command, an operator or a key that wants another is a submode. */

export type FindKind = 'f' | 'F' | 't' | 'T';

export interface ViFind {
  readonly kind: FindKind;
  readonly character: string;
}

/** A change that `.` does again; `count` is undefined for the count it had. */
export interface ViChange {
  /** Runs all but the typing. */
  apply(count: number | undefined): void;
  /** What was typed then; undefined where the command types nothing. */
  typed: string | undefined;
}

/** Typing under way since a command began it. */
export interface ViInsertion {
  readonly change: ViChange | undefined;
  readonly textBefore: string;
  readonly cursorBefore: number;
}

export interface ViState {
  /** Command ("normal") mode; else insert. */
  isCommand: boolean;
  find: ViFind | undefined;
  change: ViChange | undefined;
  insertion: ViInsertion | undefined;
  /** `.` is at work: what runs is no new change. */
  isRepeating: boolean;
  readonly marks: Map<string, number>;
  search: { readonly wanted: string; readonly direction: -1 | 1 } | undefined;
}

export function newViState(): ViState {
  return {
    isCommand: false,
    find: undefined,
    change: undefined,
    insertion: undefined,
    isRepeating: false,
    marks: new Map(),
    search: undefined,
  };
}
