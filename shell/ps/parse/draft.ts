/** What the option parsers fill in, word by word, before formats and selections are put together. */
import { NshError } from '../../../src/protocol/errors.ts';
import type { ListKind, PsQuery, Selector } from '../query.ts';
import type { Personality } from './personality.ts';

export type SimpleOption = 'unix-a' | 'unix-d' | 'bsd-a' | 'bsd-x';
/** Options that choose a whole format. */
export type FormatFlag =
  | 'f'
  | 'l'
  | 'bsd-j'
  | 'bsd-l'
  | 'bsd-s'
  | 'bsd-u'
  | 'bsd-v'
  | 'bsd-X'
  /** The old Linux `m`: what it means in `ps -axm`. */
  | 'old-m'
  | 'context';
/** Options that change one. */
export type FormatModifier = 'F' | 'M' | 'P' | 'c' | 'j' | 'y';

/** Options that show threads: H, m and -m how, -L and -T with which columns. */
export type ThreadFlag = 'H' | 'bsd-m' | 'unix-m' | 'L' | 'T';

/** A format or sort list, read when all options are known. */
export interface Deferred {
  readonly kind: 'format' | 'unix-O' | 'bsd-O' | 'sort';
  readonly text: string;
}

export interface Draft {
  readonly personality: Personality;
  /** Dashes do not matter: the line is read as BSD options because it makes no sense otherwise. */
  readonly secondChance: boolean;
  readonly threads: Set<ThreadFlag>;
  all: boolean;
  readonly simple: Set<SimpleOption>;
  readonly lists: Selector[];
  runningOnly: boolean;
  negate: boolean;
  readonly flags: Set<FormatFlag>;
  readonly modifiers: Set<FormatModifier>;
  readonly deferred: Deferred[];
  forest: PsQuery['forest'];
  heading: PsQuery['heading'] | undefined;
  /** A BSD option was met: BSD's defaults for what is not said. */
  bsdDefaults: boolean;
  wideCount: number;
  columns: number | undefined;
  rows: number | undefined;
  numeric: boolean;
  withDead: boolean;
  commandOnly: boolean;
  withEnviron: boolean;
  on: string | undefined;
  ended: boolean;
  json: boolean;
  listColumns: boolean;
  version: boolean;
}

export function newDraft(personality: Personality, secondChance: boolean): Draft {
  return {
    personality,
    secondChance,
    threads: new Set(),
    all: false,
    simple: new Set(),
    lists: [],
    runningOnly: false,
    negate: false,
    flags: new Set(),
    modifiers: new Set(),
    deferred: [],
    forest: 'none',
    heading: undefined,
    bsdDefaults: secondChance || personality.onlyBsd,
    wideCount: 0,
    columns: undefined,
    rows: undefined,
    numeric: false,
    withDead: false,
    commandOnly: false,
    withEnviron: false,
    on: undefined,
    ended: false,
    json: false,
    listColumns: false,
    version: false,
  };
}

export function usage(message: string): NshError {
  return new NshError('usage', message);
}

/** The words of the command line, read one after the other. */
export class Words {
  private readonly words: readonly string[];
  private at = 0;

  constructor(words: readonly string[]) {
    this.words = words;
  }

  /** Whether this is all of the command line. */
  get single(): boolean {
    return this.words.length === 1;
  }

  next(): string | undefined {
    return this.words[this.at++];
  }

  rest(): readonly string[] {
    const rest = this.words.slice(this.at);
    this.at = this.words.length;
    return rest;
  }

  /** An option's argument: what follows it in its word, else the next word. */
  argument(attached: string): string | undefined {
    if (attached !== '') return attached;
    const next = this.words[this.at];
    if (next === undefined || next === '') return undefined;
    this.at++;
    return next;
  }
}

/** A PID as ps takes it, apart from whether its node is there. */
const pidWord = /^(?:\d+|\d+\.\d+|[A-Za-z][\w.-]*\.\d+)$/;
const pidKinds: ReadonlySet<ListKind> = new Set(['pid', 'quickPid', 'ppid', 'pgrp', 'session']);

/** A list of one kind, its items parted by commas, blanks or tabs. @throws NshError `usage` */
export function addList(draft: Draft, kind: ListKind, text: string): void {
  const items = text.split(/[ ,\t]/);
  if (items.includes('')) throw usage('improper list');
  if (pidKinds.has(kind)) items.forEach(checkPid);
  draft.lists.push({ kind, items });
}

function checkPid(item: string): void {
  if (!pidWord.test(item)) throw usage(`process ID list syntax error: '${item}'`);
  if (/^0+$/.test(item)) throw usage('process ID out of range');
}

/** -g: sessions where every item reads as a PID, else names of effective groups. */
export function addSessionsOrGroups(draft: Draft, text: string): void {
  const sessions = text.split(/[ ,\t]/).every((item) => pidWord.test(item));
  addList(draft, sessions ? 'session' : 'effectiveGroup', text);
}

export function setHeading(draft: Draft, heading: PsQuery['heading']): void {
  if (draft.heading !== undefined) throw usage('only one heading option may be specified');
  draft.heading = heading;
}
