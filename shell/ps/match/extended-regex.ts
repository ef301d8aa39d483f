/**
 * POSIX extended regular expressions (regex(7)) as JavaScript ones, for pgrep. Only whether a text matches is asked, so that leftmost-longest
 * makes no difference. As glibc: `\w \W \s \S \b \B \< \> \1`…; any other escaped character stands for itself. Character classes go by
 * Unicode. Left out: collating elements and equivalence classes (`[[.x.]]`, `[[=x=]]`), which are refused.
 */
import { NshError } from '../../../src/protocol/errors.ts';

export interface RegexOptions {
  readonly ignoreCase: boolean;
  /** The whole text must match. */
  readonly exact: boolean;
}

/** @throws NshError `usage` where the pattern is malformed. */
export function compileExtendedRegex(pattern: string, { ignoreCase, exact }: RegexOptions): RegExp {
  const source = new Translator(pattern).translate();
  try {
    return new RegExp(exact ? `^(?:${source})$` : source, ignoreCase ? 'isu' : 'su');
  } catch {
    throw regexError('Invalid regular expression'); // a range that ends before it begins, a reference to no group
  }
}

const classes: Readonly<Record<string, string>> = {
  alpha: '\\p{L}',
  digit: '0-9',
  alnum: '\\p{L}0-9',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
  space: '\\s',
  blank: ' \\t',
  punct: '\\p{P}\\p{S}',
  cntrl: '\\p{Cc}',
  xdigit: '0-9A-Fa-f',
  graph: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}',
  print: ' \\p{L}\\p{M}\\p{N}\\p{P}\\p{S}',
};

const escapes: Readonly<Record<string, string>> = {
  w: '[\\p{L}\\p{N}_]',
  W: '[^\\p{L}\\p{N}_]',
  s: '\\s',
  S: '\\S',
  b: '\\b',
  B: '\\B',
  '<': '\\b(?=\\w)',
  '>': '\\b(?<=\\w)',
  '`': '^',
  "'": '$',
};

class Translator {
  private readonly pattern: string;
  private at = 0;
  private depth = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  translate(): string {
    return this.alternatives();
  }

  /** Up to the end, or to the parenthesis that closes this group. */
  private alternatives(): string {
    let text = '';
    let atom: string | undefined;
    for (let c = this.peek(); c !== ''; c = this.peek()) {
      if (c === ')' && this.depth > 0) break;
      const quantifier = this.quantifier();
      if (quantifier !== undefined) {
        if (atom === undefined) throw regexError('Invalid preceding regular expression');
        atom = `(?:${atom})${quantifier}`;
        continue;
      }
      text += atom ?? '';
      atom = c === '|' ? undefined : this.atom();
      if (c === '|') {
        this.at += 1;
        text += '|';
      }
    }
    return text + (atom ?? '');
  }

  private quantifier(): string | undefined {
    const [found] = /^(?:[*+?]|\{(?:\d+,?\d*|,\d+)\})/.exec(this.pattern.slice(this.at)) ?? [];
    if (found === undefined) return undefined;
    this.at += found.length;
    return found.startsWith('{,') ? `{0${found.slice(1)}` : found;
  }

  private atom(): string {
    const c = this.take();
    switch (c) {
      case '(':
        return this.group();
      case '[':
        return this.brackets();
      case '\\':
        return this.escape();
      case '.':
      case '^':
      case '$':
        return c;
      default:
        return literal(c);
    }
  }

  private group(): string {
    this.depth += 1;
    const inner = this.alternatives();
    this.depth -= 1;
    if (this.take() !== ')') throw regexError('Unmatched ( or \\(');
    return `(${inner})`;
  }

  private escape(): string {
    const c = this.take();
    if (c === '') throw regexError('Trailing backslash');
    if (/[1-9]/.test(c)) return `(?:\\${c})`;
    return escapes[c] ?? literal(c);
  }

  /** Inside brackets a backslash is itself, and a `]` that comes first too. */
  private brackets(): string {
    const negated = this.peek() === '^' ? this.take() : '';
    let members = '';
    let first = true;
    for (;;) {
      const c = this.take();
      if (c === '') throw regexError('Unmatched [, [^, [:, [., or [=');
      if (c === ']' && !first) break;
      first = false;
      const next = this.peek();
      if (c === '[' && next === ':') members += this.characterClass();
      else if (c === '[' && (next === '.' || next === '=')) throw regexError('Invalid collation character');
      else members += c === '-' && members !== '' && next !== ']' ? '-' : member(c);
    }
    return `[${negated}${members}]`;
  }

  private characterClass(): string {
    const end = this.pattern.indexOf(':]', this.at + 1);
    const found = end < 0 ? undefined : classes[this.pattern.slice(this.at + 1, end)];
    if (found === undefined) throw regexError('Invalid character class name');
    this.at = end + 2;
    return found;
  }

  private peek(): string {
    const code = this.pattern.codePointAt(this.at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  private take(): string {
    const c = this.peek();
    this.at += c.length;
    return c;
  }
}

function literal(c: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c;
}

function member(c: string): string {
  return /[\\\]^[-]/.test(c) ? `\\${c}` : c;
}

function regexError(why: string): NshError {
  return new NshError('usage', `regex error: ${why}`);
}
