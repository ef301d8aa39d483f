/**
 * What goes into the line for a name: quoted in the way that the person has begun. Control characters and what else a terminal would
 * act on never stand raw in it: they are written as $'…' has them.
 */
import { escapeText } from '../escape.ts';
import type { Quoting } from './scan-word.ts';

const opening: Readonly<Record<Quoting, string>> = { none: '', single: "'", double: '"', ansi: "$'" };
const closing: Readonly<Record<Quoting, string>> = { none: '', single: "'", double: '"', ansi: "'" };

export function closingQuote(quoting: Quoting): string {
  return closing[quoting];
}

export interface QuotePlace {
  /** Quotes that are open where the inserted text begins. */
  readonly from: Quoting;
  /** Quotes that are open at the cursor: how the person quotes this name. */
  readonly to: Quoting;
}

/** @param isWhole the name ends here: quotes are closed; else they stay open for what follows. */
export function quoteName(name: string, { from, to }: QuotePlace, isWhole: boolean): string {
  const turn = from === to ? '' : closing[from] + opening[to];
  return turn + body(name, to, from === 'none') + (isWhole ? closing[to] : '');
}

function body(name: string, quoting: Quoting, isFirst: boolean): string {
  const pieces = splitUnsafe(name);
  return pieces
    .map(({ text, isSafe }, index) => {
      if (isSafe) return quoteSafe(text, quoting, isFirst && index === 0);
      const escaped = ansiEscapes(text);
      return quoting === 'ansi' ? escaped : `${closing[quoting]}$'${escaped}'${opening[quoting]}`;
    })
    .join('');
}

function quoteSafe(text: string, quoting: Quoting, isFirst: boolean): string {
  switch (quoting) {
    case 'single':
      return text.replaceAll("'", "'\\''");
    case 'double':
      return text.replace(/[$`"\\]/g, '\\$&');
    case 'ansi':
      return text.replace(/['\\]/g, '\\$&');
    default: {
      const quoted = text.replace(/[\s!"#$&'()*;<>?[\\\]^`{|}]/g, '\\$&');
      return isFirst && quoted.startsWith('~') ? `\\${quoted}` : quoted;
    }
  }
}

/** Parts that can be shown as they are, and parts that cannot. */
function splitUnsafe(text: string): { readonly text: string; readonly isSafe: boolean }[] {
  if (escapeText(text) === text) return [{ text, isSafe: true }];
  const parts: { text: string; isSafe: boolean }[] = [];
  for (const character of text) {
    const isSafe = escapeText(character) === character;
    const last = parts.at(-1);
    if (last !== undefined && last.isSafe === isSafe) last.text += character;
    else parts.push({ text: character, isSafe });
  }
  return parts;
}

const named: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\u001b': '\\E',
  '\u0007': '\\a',
};

function ansiEscapes(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (named[character] !== undefined) return named[character];
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
  }).join('');
}
