/** Reads the forms in which bash prints values so that it could read them again. Anything else is refused: this is data, and is never evaluated. */
import type { ByteText } from '../language/byte-text.ts';

/** What was read is not what bash prints. */
export class MalformedState extends Error {
  override readonly name = 'MalformedState';
}

export class ByteCursor {
  readonly text: ByteText;
  at: number;

  constructor(text: ByteText, at = 0) {
    this.text = text;
    this.at = at;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  looksAt(expected: string): boolean {
    return this.text.startsWith(expected, this.at);
  }

  /** @throws MalformedState where something else stands here. */
  skip(expected: string): void {
    if (!this.looksAt(expected)) throw new MalformedState(`expected ${JSON.stringify(expected)} at byte ${this.at}`);
    this.at += expected.length;
  }

  skipIf(expected: string): boolean {
    if (!this.looksAt(expected)) return false;
    this.at += expected.length;
    return true;
  }

  /** @param pattern must be sticky. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** A value in `"…"`, `$'…'` or `'…'`, several of them joined as bash joins `'it'\''s'`; or a bare word without anything special. */
  word(bare: RegExp): ByteText {
    let value = '';
    const start = this.at;
    for (;;) {
      if (this.skipIf('"')) value += this.doubleQuoted();
      else if (this.skipIf("$'")) value += this.ansiQuoted();
      else if (this.skipIf("'")) value += this.singleQuoted();
      else if (this.skipIf("\\'")) value += "'";
      else {
        const plain = this.match(bare);
        if (plain === undefined || plain === '') break;
        value += plain;
      }
    }
    if (this.at === start) throw new MalformedState(`no value at byte ${this.at}`);
    return value;
  }

  private singleQuoted(): ByteText {
    const end = this.text.indexOf("'", this.at);
    if (end < 0) throw new MalformedState('unterminated quote');
    const value = this.text.slice(this.at, end);
    this.at = end + 1;
    return value;
  }

  private doubleQuoted(): ByteText {
    let value = '';
    for (;;) {
      value += this.match(/[^"\\$`]*/y) ?? '';
      if (this.skipIf('"')) return value;
      // bash escapes these four and nothing else; a bare `$` or backquote would be an expansion.
      const escaped = this.match(/\\["\\$`]/y);
      if (escaped === undefined) throw new MalformedState(`an expansion or an open quote at byte ${this.at}`);
      value += escaped.slice(1);
    }
  }

  private ansiQuoted(): ByteText {
    let value = '';
    for (;;) {
      value += this.match(/[^'\\]*/y) ?? '';
      if (this.skipIf("'")) return value;
      const escaped = this.match(/\\(?:[abeEfnrtv\\'"?]|[0-7]{1,3}|x[0-9a-fA-F]{1,2})/y);
      if (escaped === undefined) throw new MalformedState(`an unknown escape or an open quote at byte ${this.at}`);
      value += decodeEscape(escaped.slice(1));
    }
  }
}

const controls: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function decodeEscape(escape: string): ByteText {
  const control = controls[escape];
  if (control !== undefined) return control;
  if (/^[0-7]/.test(escape)) return byte(Number.parseInt(escape, 8));
  if (escape.startsWith('x')) return byte(Number.parseInt(escape.slice(1), 16));
  return escape;
}

function byte(code: number): ByteText {
  if (code === 0 || code > 255) throw new MalformedState('a byte that no value can hold');
  return String.fromCharCode(code);
}
