/** Errors of nodeset texts: all say where in the text the fault is, and what is wrong there. */
import { NshError } from '../../protocol/errors.ts';
import { quoteText } from '../quote-text.ts';

/** More names than this in one nodeset is taken for a slip of the hand. */
export const maxNames = 1_000_000;

/** @param offset where the fault begins, counted from 0; people read it counted from 1. */
export function nodesetError(text: string, offset: number, problem: string): NshError {
  return new NshError('nodeset', `nodeset ${quoteText(text)}, column ${offset + 1}: ${problem}`, {
    data: { text, offset, problem },
  });
}

export function tooManyNames(text: string, offset: number): NshError {
  return nodesetError(text, offset, `this names more than ${maxNames.toLocaleString('en')} nodes`);
}
