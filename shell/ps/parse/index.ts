/**
 * `ps`'s command line. Words that begin with a dash are UNIX options, two dashes GNU ones, a letter BSD ones, a digit PIDs. Where that
 * reading fails the whole line is read as BSD options with dashes, as procps does: `ps -aux`.
 */
import { NshError } from '../../../src/protocol/errors.ts';
import type { FormatColumn, PsQuery, Scope, SortKey } from '../query.ts';
import { parseBsdWord } from './bsd.ts';
import { addList, newDraft, usage, Words, type Draft } from './draft.ts';
import { chooseFormat, formatColumn, parseFormatList, trailers, withNode } from './formats.ts';
import { personalityOf, type Personality } from './personality.ts';
import { parseGnuWord } from './gnu.ts';
import { parseShortSort, parseSortList } from './sorting.ts';
import { threadStyle, wantsThreadColumns } from './thread-style.ts';
import { parseUnixWord } from './unix.ts';

export interface PsEnvironment {
  /** $PS_FORMAT: columns to show where no option says. */
  readonly psFormat?: string | undefined;
  /** Whether this machine has a user of that name. Default: no. */
  readonly knowsUser?: ((name: string) => boolean) | undefined;
  /** $LIBPROC_HIDE_KERNEL is set. Default: no. */
  readonly hideKernel?: boolean | undefined;
  /** Of `personalityOf`. Default: the standard one. */
  readonly personality?: Personality | undefined;
}

/** @throws NshError `usage`, worded as procps words it. */
export function parsePsArgs(args: readonly string[], environment: PsEnvironment = {}): PsQuery {
  try {
    return finish(parseWords(args, environment, false), environment);
  } catch (error) {
    if (environment.personality?.onlyBsd === true) throw error;
    try {
      return finish(parseWords(args, environment, true), environment);
    } catch {
      throw error; // what was wrong with the line as it stands says more than why it is no BSD one either
    }
  }
}

function parseWords(args: readonly string[], environment: PsEnvironment, secondChance: boolean): Draft {
  const draft = newDraft(environment.personality ?? personalityOf({}), secondChance);
  const onlyBsd = secondChance || draft.personality.onlyBsd;
  const words = new Words(args);
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (/^--[A-Za-z]/.test(word)) parseGnuWord(draft, word, words);
    else if (/^-[A-Za-z]/.test(word)) {
      if (onlyBsd) parseBsdWord(draft, word.slice(1), words);
      else parseUnixWord(draft, word, words, environment.knowsUser ?? (() => false));
    } else if (/^[A-Za-z]/.test(word)) {
      if (secondChance) throw usage('second chance parse failed, not BSD or UNIX');
      parseBsdWord(draft, word, words);
    } else if (/^[-+]?\d/.test(word)) parsePids(draft, [word, ...words.rest()]);
    else throw usage(`garbage option '${word}'`);
  }
  return draft;
}

/** The rest of the line is PIDs, process groups (`-N`) and sessions (`+N`). */
function parsePids(draft: Draft, items: readonly string[]): void {
  draft.bsdDefaults = true;
  for (const item of items) {
    if (item.startsWith('-')) addList(draft, 'pgrp', item.slice(1));
    else if (item.startsWith('+')) addList(draft, 'session', item.slice(1));
    else addList(draft, 'pid', item);
  }
}

function finish(draft: Draft, environment: PsEnvironment): PsQuery {
  const threads = threadStyle(draft);
  const { format, sort, warnings } = readDeferred(draft, environment);
  const query: PsQuery = {
    selection: {
      scopes: scopesOf(draft),
      lists: draft.lists,
      runningOnly: draft.runningOnly,
      negate: draft.negate,
      hideKernel: environment.hideKernel ?? false,
    },
    format,
    sort,
    threads,
    forest: draft.forest,
    heading: draft.heading ?? 'once',
    columns: draft.wideCount > 1 ? Number.POSITIVE_INFINITY : draft.columns,
    wide: draft.wideCount === 1,
    rows: draft.rows,
    numeric: draft.numeric,
    withDead: draft.withDead,
    commandOnly: draft.commandOnly,
    withEnviron: draft.withEnviron,
    on: draft.on,
    ended: draft.ended,
    json: draft.json,
    listColumns: draft.listColumns,
    version: draft.version,
    warnings,
  };
  checkQuick(query);
  return query;
}

function scopesOf({ all, simple, lists }: Draft): Set<Scope> {
  const unix = simple.has('unix-a') || simple.has('unix-d');
  const bsd = simple.has('bsd-a') || simple.has('bsd-x');
  if (unix && bsd) throw usage('process selection options conflict');
  const scopes = new Set<Scope>();
  if (all || (simple.has('bsd-a') && simple.has('bsd-x'))) return scopes.add('all');
  if (simple.has('unix-a') || simple.has('bsd-a')) scopes.add('managed');
  if (simple.has('unix-d')) scopes.add('notLeaders');
  if (simple.has('bsd-x')) scopes.add('own');
  if (scopes.size === 0 && lists.length === 0) scopes.add('session');
  return scopes;
}

interface Lists {
  readonly format: FormatColumn[];
  readonly sort: SortKey[];
  readonly warnings: string[];
}

function readDeferred(draft: Draft, { psFormat }: PsEnvironment): Lists {
  let format: FormatColumn[] | undefined;
  let sort: SortKey[] | undefined;
  let spelledOut = true;
  const warnings: string[] = [];
  const sorted = draft.deferred.some(({ kind }) => kind === 'sort');
  for (const { kind, text } of draft.deferred) {
    if (kind === 'sort') {
      if (sort !== undefined) throw usage('multiple sort options');
      sort = parseSortList(text);
    } else if (kind === 'format') {
      format = [...(format ?? []), ...parseFormatList(text)];
    } else {
      const order = kind === 'bsd-O' ? parseShortSort(text) : undefined;
      if (order !== undefined && !sorted && sort === undefined) {
        sort = order;
        continue;
      }
      if (format !== undefined) throw usage('option -O can not follow other format options');
      format = preloaded(text, kind === 'bsd-O' ? trailers.bsd : trailers.unix);
      spelledOut = false;
    }
  }
  if (format !== undefined && wantsThreadColumns(draft)) {
    throw usage('-L/-T with H/m/-m and -o/-O/o/O is nonsense');
  }
  if (format === undefined && draft.flags.size === 0 && draft.modifiers.size === 0 && psFormat !== undefined) {
    if (wantsThreadColumns(draft)) {
      throw usage('-L/-T with H/m/-m adds a column to a format that $PS_FORMAT replaces; unset it, or use -o');
    }
    format = readPsFormat(psFormat, warnings);
  }
  if (format !== undefined && draft.flags.size > 0) throw usage('conflicting format options');
  if (format !== undefined && draft.modifiers.size > 0) {
    throw usage('can not use output modifiers with user-defined output');
  }
  if (format !== undefined && spelledOut) return { format, sort: sort ?? [], warnings };
  return { format: withNode(format ?? chooseFormat(draft), draft.ended), sort: sort ?? [], warnings };
}

/** Undefined, with a warning, where it makes no sense: no ps should fail for a variable that was set long ago. */
function readPsFormat(text: string, warnings: string[]): FormatColumn[] | undefined {
  try {
    return parseFormatList(text);
  } catch (error) {
    if (!(error instanceof NshError)) throw error;
    warnings.push(`$PS_FORMAT ignored. (${error.message})`);
    return undefined;
  }
}

function preloaded(text: string, trailer: string): FormatColumn[] {
  return [formatColumn('pid'), ...parseFormatList(text), ...trailer.split(',').map(formatColumn)];
}

/** -q reads nothing but its list, so nothing else goes with it. */
function checkQuick({ selection, forest, sort }: PsQuery): void {
  const quick = selection.lists.filter(({ kind }) => kind === 'quickPid').length;
  if (quick === 0) return;
  const name = 'q/-q/--quick-pid';
  if (quick > 1) throw usage(`${name} can only be used once.`);
  if (selection.lists.length > 1) throw usage(`${name} cannot be combined with other selection options.`);
  if (forest !== 'none') throw usage(`${name} cannot be used together with forest type listings.`);
  if (sort.length > 0) throw usage(`${name} cannot be used together with sort options.`);
  if (selection.negate) throw usage(`${name} cannot be used together with negation switches.`);
}
