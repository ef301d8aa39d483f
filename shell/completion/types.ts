/** The words of completion: what is wanted at a place, what is offered, and what is put into the line. */
import type { OptionSpec } from '../command.ts';
import type { ProcessSelection } from './sources.ts';

/** What may stand where the cursor is. */
export type Want =
  /** A name of a command on the node: programs, functions, aliases, keywords, and nsh's own. */
  | { readonly kind: 'command' }
  | { readonly kind: 'path'; readonly only: 'any' | 'directory' | 'executable' }
  /** `at`: behind the leading `@` of a pipeline's word; `bare`: as an argument, where a group is `@gpu`. */
  | { readonly kind: 'nodeset'; readonly form: 'at' | 'bare' }
  | { readonly kind: 'option'; readonly options: readonly OptionSpec[] }
  /** `dash`: `-TERM`. */
  | { readonly kind: 'signal'; readonly dash: boolean }
  | { readonly kind: 'process'; readonly select: ProcessSelection }
  | { readonly kind: 'group'; readonly form: GroupForm }
  | { readonly kind: 'job' }
  | { readonly kind: 'variable' }
  | { readonly kind: 'builtin' }
  | { readonly kind: 'word'; readonly words: readonly Choice[] };

/** `web`; `web=` before a number; `web,db` in a list; `web/2`; a group or one of its replicas. */
export type GroupForm = 'name' | 'number' | 'list' | 'replica' | 'group-or-replica';

/** One thing that can be chosen, unquoted as the program would get it. */
export interface Choice {
  readonly value: string;
  /** Shown beside it. Like the value it may come from a node, and is escaped before it is shown. */
  readonly description?: string;
  /** More may follow at once: a directory, an open nodeset, `--option=`. Default: a blank follows. */
  readonly open?: boolean;
}

/** What a builtin is to completion; a Command is one. */
export interface CommandShape {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Those that fit what the operands have said so far; absent: all. */
  optionsFor?(operands: readonly string[]): readonly OptionSpec[];
}

/** What is typed decides this; nothing was asked. */
export interface Decision {
  readonly wants: readonly Want[];
  /** So many characters of the unquoted word stay: `--on=` of `--on=web`. */
  readonly skip: number;
  /** The nodeset on which the command will run, without its `@`; absent: the session's node. */
  readonly where?: string;
}

export const nothing: Decision = { wants: [], skip: 0 };

/** One line of the menu. */
export interface CompletionItem {
  /** Goes into the line between `start` and `end` of the completion, quoted as the place asks for. */
  readonly insert: string;
  /** A blank, or nothing where more may follow. */
  readonly append: '' | ' ';
  /** Safe to show. */
  readonly display: string;
  readonly description?: string;
}

/** What is known so far. */
export interface Completion {
  /** The part of the line that an item replaces: up to the cursor. */
  readonly start: number;
  readonly end: number;
  readonly items: readonly CompletionItem[];
  /** What all items begin with, quoted, where it is longer than what is typed. */
  readonly common: string | undefined;
  /** Nothing more will come. */
  readonly done: boolean;
}
