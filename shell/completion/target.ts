/** Which part of the line a choice replaces, and how its text is quoted there. Pure. */
import { quoteName } from './quote.ts';
import type { Quoting, ScannedWord, Unit } from './scan-word.ts';

export interface Target {
  /** Offset in the line. */
  readonly start: number;
  /** Quotes that are open there. */
  readonly from: Quoting;
  /** Quotes that are open at the cursor. */
  readonly to: Quoting;
}

/** Behind the first `skip` characters of the word's value. @param wordStart of the word in the line. */
export function targetAfter(word: ScannedWord, wordStart: number, values: readonly string[], skip: number): Target {
  let length = 0;
  let last: Unit | undefined;
  for (const [index, unit] of word.units.entries()) {
    if (length >= skip) break;
    length += values[index]?.length ?? 0;
    last = unit;
  }
  // Opening quotes that follow belong to what is replaced.
  return { start: wordStart + (last?.end ?? 0), from: last?.quoting ?? 'none', to: word.quoting };
}

export type InsertStyle =
  /** As a name that the shell shall take as it is. */
  | 'quoted'
  /** A nodeset: in quotes as a whole where it has brackets, so that it is no pattern. */
  | 'nodeset'
  /** As it is: a leading `@nodeset`, a variable's name. */
  | 'raw';

export function insertText(value: string, { from, to }: Target, style: InsertStyle, isWhole: boolean): string {
  if (style === 'raw') return value;
  if (style === 'nodeset' && isWhole && from === 'none' && to === 'none' && /[[\]]/.test(value))
    return quoteName(value, { from: 'none', to: 'single' }, true);
  return quoteName(value, { from, to }, isWhole);
}
