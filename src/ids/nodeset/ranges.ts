/** The text between brackets: `1-5,07-12,0-10/2`, read into indexes. */
import { findRuns, isPadded, sortIndexes } from './indexes.ts';
import { maxNames } from './nodeset-error.ts';
import { quoteText } from '../quote-text.ts';

/** What is wrong with a range, and where in the text that was given; the caller knows the whole nodeset. */
export class RangeFault extends Error {
  readonly offset: number;
  constructor(offset: number, problem: string) {
    super(problem);
    this.offset = offset;
  }
}

/** @throws RangeFault */
export function parseRanges(text: string): Set<string> {
  const indexes = new Set<string>();
  let offset = 0;
  for (const part of text.split(',')) {
    addRange(part, offset, indexes);
    offset += part.length + 1;
  }
  return indexes;
}

const rangePattern = /^(?<begin>-?\d+)(?:\s*-\s*(?<end>-?\d+))?(?:\s*\/\s*(?<step>\d+))?$/;

function addRange(part: string, partOffset: number, indexes: Set<string>): void {
  const text = part.trim();
  const offset = partOffset + part.length - part.trimStart().length;
  const fault = (problem: string): RangeFault => new RangeFault(offset, problem);
  if (text === '') throw fault('empty range');
  const { begin, end, step: stepText } = rangePattern.exec(text)?.groups ?? {};
  if (begin === undefined) throw fault(`${quoteText(text)} is not a number nor a range such as 1-16 or 0-10/2`);
  if (end === undefined && stepText !== undefined && Number(stepText) !== 1) {
    throw fault(`the step in ${quoteText(text)} needs a range before it`);
  }
  const last = end ?? begin;
  const padded = isPadded(begin) || isPadded(last);
  if (padded && begin.length !== last.length) {
    throw fault(`both ends of ${quoteText(text)} must have as many digits, as in 01-16 or 001-100`);
  }
  if (/^-0\d/.test(begin) || /^-0\d/.test(last))
    throw fault(`negative numbers cannot be padded, as in ${quoteText(text)}`);
  const from = Number(begin);
  const to = Number(last);
  const step = Number(stepText ?? 1);
  if (step === 0) throw fault(`the step in ${quoteText(text)} must be 1 or more`);
  if (begin === last) {
    indexes.add(normalizeIndex(begin));
    return;
  }
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to))
    throw fault(`the numbers in ${quoteText(text)} are too large`);
  if (from > to) throw fault(`${quoteText(text)} runs backwards`);
  if ((to - from) / step >= maxNames)
    throw fault(`${quoteText(text)} is more than ${maxNames.toLocaleString('en')} numbers`);
  for (let index = from; index <= to; index += step) {
    indexes.add(padded ? String(index).padStart(begin.length, '0') : String(index));
  }
}

function normalizeIndex(index: string): string {
  return index === '-0' ? '0' : index;
}

/**
 * Digits that touch a bracket belong to its numbers: `n1[1-3]0` is n110, n120, n130.
 * @throws RangeFault
 */
export function parseRangesWithin(before: string, text: string, after: string): Set<string> {
  const inner = parseRanges(text);
  if (before === '' && after === '') return inner;
  if (after !== '' && text.includes('/'))
    throw new RangeFault(0, 'a step cannot be followed by digits after the bracket');
  for (const index of inner) {
    if (index.startsWith('-')) throw new RangeFault(0, 'negative numbers cannot have digits around the bracket');
  }
  const indexes = new Set([...inner].map((index) => index + after));
  if (before === '') return indexes;
  // ClusterShell puts the digits before both ends of a range, so that n1[9-10] is n19 to n110 there, 92 names that nobody typed.
  for (const { first, last } of findRuns(sortIndexes(indexes))) {
    if (first.length !== last.length) {
      throw new RangeFault(0, `after the digits '${before}', ${first}-${last} must have as many digits at both ends`);
    }
  }
  return new Set([...indexes].map((index) => before + index));
}
