/** Styles of a line being typed. Any text has some: what cannot be parsed is left without. The last answer is kept. */
import type { ParseError } from 'unbash';
import type { StyledSpan } from '../editor/styled-run.ts';
import { blankCompounds } from '../language/compounds.ts';
import type { HighlightLookup } from './highlight-style.ts';
import { Paint } from './paint.ts';
import { paintBare } from './paint-bare.ts';
import { paintNodeset, paintTree } from './paint-tree.ts';

/** Longer texts are drawn plain: each key would wait for them. */
export const maxHighlighted = 16 * 1024;

export class Highlighter {
  readonly #lookup: HighlightLookup;
  #text: string | undefined;
  #version = -1;
  #spans: readonly StyledSpan[] = [];

  constructor(lookup: HighlightLookup) {
    this.#lookup = lookup;
  }

  /** @returns in order, not overlapping; the styles are those of highlight-style.ts. */
  spansOf(text: string): readonly StyledSpan[] {
    const { version } = this.#lookup;
    if (text !== this.#text || version !== this.#version) {
      this.#spans = highlight(text, this.#lookup);
      this.#text = text;
      this.#version = version;
    }
    return this.#spans;
  }
}

export function highlight(text: string, lookup: HighlightLookup): readonly StyledSpan[] {
  if (text === '' || text.length > maxHighlighted) return [];
  try {
    return painted(text, lookup);
  } catch {
    // A text that the parser cannot take is typed on all the same.
    return [];
  }
}

function painted(text: string, lookup: HighlightLookup): StyledSpan[] {
  const paint = new Paint(text.length);
  const { tree, places } = blankCompounds(text);
  const { errors } = paintTree(tree, text, paint, lookup);
  for (const { word } of places) paintNodeset(word, paint, lookup);
  paintBare(text, paint);
  const wrong = firstError(errors, text);
  if (wrong !== undefined) paint.add(wrong, endOfToken(text, wrong), 'error');
  return paint.spans();
}

/** Where the first word stands that cannot be there. What is not finished yet is not wrong: an open quote, a missing `fi` at the end. */
function firstError(errors: readonly ParseError[], text: string): number | undefined {
  const end = text.trimEnd().length;
  const places = errors
    .filter(({ message, pos }) => pos >= 0 && pos < end && !message.startsWith('unterminated'))
    .map(({ pos }) => pos + text.slice(pos).search(/\S/));
  return places.length === 0 ? undefined : Math.min(...places);
}

function endOfToken(text: string, start: number): number {
  const token = /^(?:[;&|()<>]+|[^\s;&|()<>]+|\s)/.exec(text.slice(start, start + 256));
  return start + Math.max(1, token?.[0].length ?? 1);
}
