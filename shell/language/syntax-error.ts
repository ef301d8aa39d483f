/** A syntax error for people: the place, the line it is in, and a caret under it. */
import { type ByteText, fromByteText } from './byte-text.ts';
import type { SyntaxFault } from './script-tree.ts';

export interface Place {
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
}

export function placeOf(source: ByteText, position: number): Place {
  const before = source.slice(0, position);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(fromByteText(before.slice(start))).length + 1 };
}

/** Longest piece of a line that is shown. */
const maxShown = 160;

/**
 * `line 2, column 8: unexpected token ')'`, the line, the caret.
 * @param lineOffset lines of the session or script before the source
 */
export function describeFault(source: ByteText, fault: SyntaxFault, lineOffset = 0): string {
  const position = Math.min(fault.position, source.trimEnd().length);
  const { line, column } = placeOf(source, position);
  const text = fromByteText(source.split('\n')[line - 1] ?? '');
  const characters = Array.from(text);
  const from = Math.max(0, Math.min(column - 1, characters.length) - maxShown / 2);
  // Tabs stay, so that the caret stands where the terminal puts them; other controls do not reach it.
  const shown = characters.slice(from, from + maxShown).map((each) => (each !== '\t' && each < ' ' ? '?' : each));
  const indent = shown.slice(0, column - 1 - from).map((each) => (each === '\t' ? '\t' : ' '.repeat(widthOf(each))));
  return `line ${line + lineOffset}, column ${column}: syntax error: ${fault.message}\n  ${shown.join('')}\n  ${indent.join('')}^`;
}

/** East Asian wide characters and emoji take two columns. */
function widthOf(character: string): number {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1;
}
