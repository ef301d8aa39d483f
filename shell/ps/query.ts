/** What one `ps` was asked for: the outcome of its three option syntaxes, before any node has been asked. */
import type { Align, Cell, Column } from './columns/index.ts';

/** What the simple options choose. A process is shown where any of them, or of the lists, takes it. */
export type Scope =
  /** Every process of every node: -e, -A, `ax`. */
  | 'all'
  /** What nsh runs, whoever started it: -a, `a`. */
  | 'managed'
  /** What this terminal or session started: no option at all. */
  | 'session'
  /** What belongs to this user: `x`. */
  | 'own'
  /** All but session leaders: -d. */
  | 'notLeaders';

export type ListKind =
  | 'pid'
  | 'quickPid'
  | 'ppid'
  | 'pgrp'
  | 'session'
  | 'command'
  | 'tty'
  | 'effectiveUser'
  | 'realUser'
  | 'effectiveGroup'
  | 'realGroup';

/** A list as it was typed; names of nodes in PIDs are looked up later. `ownTty` is `T` and a `t` without list. */
export type Selector = { readonly kind: ListKind; readonly items: readonly string[] } | { readonly kind: 'ownTty' };

export interface Selection {
  readonly scopes: ReadonlySet<Scope>;
  readonly lists: readonly Selector[];
  /** `r`: of these, only running ones. */
  readonly runningOnly: boolean;
  /** -N: all but these. */
  readonly negate: boolean;
  /** $LIBPROC_HIDE_KERNEL: never kthreadd and its children, whatever is selected. */
  readonly hideKernel: boolean;
}

/** A column of the output: its own heading and width where they were given. */
export interface FormatColumn {
  readonly column: Column;
  readonly header: string;
  readonly width: number;
  /** `:N` was typed: cut to it even off a terminal. */
  readonly fixed: boolean;
  /** Text between AIX descriptors, shown on every line. */
  readonly filler?: string;
}

export interface SortKey {
  readonly cell: Cell;
  readonly descending: boolean;
}

export interface PsQuery {
  readonly selection: Selection;
  readonly format: readonly FormatColumn[];
  readonly sort: readonly SortKey[];
  /** `flat`: each thread as if it were a process (-L, -T, H); `below`: threads after their process (m, -m). */
  readonly threads: 'none' | 'flat' | 'below';
  /** `art` draws branches, `indent` (-H) only indents. */
  readonly forest: 'none' | 'art' | 'indent';
  readonly heading: 'once' | 'repeat' | 'none';
  /** --cols and w: columns to cut at; Infinity: no cut; absent: what the terminal has. */
  readonly columns: number | undefined;
  /** A single `w`: at least 132 columns. */
  readonly wide: boolean;
  readonly rows: number | undefined;
  readonly numeric: boolean;
  readonly withDead: boolean;
  readonly commandOnly: boolean;
  readonly withEnviron: boolean;
  /** --on: only these nodes. */
  readonly on: string | undefined;
  /** --ended: ended managed processes too. */
  readonly ended: boolean;
  readonly json: boolean;
  /** `L`: list the columns instead. */
  readonly listColumns: boolean;
  /** -V: print the version instead. */
  readonly version: boolean;
  /** What was wrong and could be left aside. */
  readonly warnings: readonly string[];
}

export type { Align };
