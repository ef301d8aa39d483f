/**
 * One word of the shell as far as it is typed: what each character means unquoted, and in which quotes the cursor is. bash(1), QUOTING.
 */

export type Quoting = 'none' | 'single' | 'double' | 'ansi';

export interface Unit {
  /** The character it stands for; of a variable its name; of what only running can tell nothing. */
  readonly text: string;
  readonly kind: 'text' | 'variable' | 'opaque';
  /** Place of its source, from the beginning of the word. */
  readonly start: number;
  readonly end: number;
  readonly quoting: Quoting;
  /** Behind a backslash: it means itself. */
  readonly escaped: boolean;
}

export interface ScannedWord {
  readonly units: readonly Unit[];
  /** The quotes that are open at the end. */
  readonly quoting: Quoting;
  /** A `$NAME` or `${NAME` that reaches the end: where the name begins, and whether in braces. */
  readonly variable: { readonly nameStart: number; readonly braces: boolean } | undefined;
}

export function scanWord(source: string): ScannedWord {
  const scan = new WordScan(source);
  while (scan.next()) {
    // Until its end.
  }
  return { units: scan.units, quoting: scan.quoting, variable: scan.variable };
}

class WordScan {
  readonly units: Unit[] = [];
  quoting: Quoting = 'none';
  variable: ScannedWord['variable'];
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  next(): boolean {
    if (this.#at >= this.#source.length) return false;
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    switch (this.quoting) {
      case 'single':
        this.#take(character, "'");
        break;
      case 'ansi':
        if (character === '\\') this.#escape();
        else this.#take(character, "'");
        break;
      case 'double':
      case 'none':
        this.#expanding(character);
        break;
    }
    return true;
  }

  /** Outside quotes, or in double ones. */
  #expanding(character: string): void {
    const isPlain = this.quoting === 'none';
    const following = this.#source[this.#at + 1] ?? '';
    if (character === '\\') {
      if (following === '\n') this.#at += 2;
      else if (following === '') this.#at += 1;
      else if (isPlain || '$`"\\'.includes(following)) this.#add(following, 2, true);
      else this.#add('\\', 1);
    } else if (character === '$') this.#dollar(following, isPlain);
    else if (character === '`') this.#skip(this.#source.indexOf('`', this.#at + 1));
    else if (isPlain && character === "'") this.#open('single', 1);
    else if (character === '"') {
      this.quoting = isPlain ? 'double' : 'none';
      this.#at += 1;
    } else this.#add(character, character.length);
  }

  #dollar(following: string, isPlain: boolean): void {
    if (isPlain && following === "'") return this.#open('ansi', 2);
    if (isPlain && following === '"') return this.#open('double', 2);
    if (following === '(') return this.#skip(this.#closing('(', ')'));
    const rest = this.#source.slice(this.#at + 1);
    const braces = rest.startsWith('{');
    const name = /^\{?([A-Za-z_][A-Za-z0-9_]*)?/.exec(rest)?.[0] ?? '';
    const end = this.#at + 1 + name.length;
    if (end === this.#source.length) {
      this.variable = { nameStart: this.#at + (braces ? 2 : 1), braces };
      return this.#push(name.replace('{', ''), 'variable', end);
    }
    if (braces && this.#source[end] === '}') return this.#push(name.slice(1), 'variable', end + 1);
    if (braces) return this.#skip(this.#closing('{', '}'));
    if (name !== '') return this.#push(name, 'variable', end);
    if (/[0-9*@#?$!_-]/.test(following)) return this.#push('', 'opaque', this.#at + 2);
    this.#add('$', 1);
  }

  /** The end of a nested construct, as far as brackets tell; -1: it is open. */
  #closing(open: string, close: string): number {
    let depth = 0;
    for (let at = this.#at + 1; at < this.#source.length; at++) {
      if (this.#source[at] === open) depth++;
      else if (this.#source[at] === close && --depth === 0) return at;
    }
    return -1;
  }

  #escape(): void {
    const rest = this.#source.slice(this.#at);
    const found =
      /^\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|c[^]|[^])?/.exec(rest)?.[0] ?? '\\';
    this.#push(unescape(found), 'text', this.#at + found.length);
  }

  #take(character: string, closing: string): void {
    if (character !== closing) return this.#add(character, character.length);
    this.quoting = 'none';
    this.#at += 1;
  }

  #open(quoting: Quoting, length: number): void {
    this.quoting = quoting;
    this.#at += length;
  }

  /** Something whose value only running it can tell. @param last its last character; -1: it does not end here. */
  #skip(last: number): void {
    this.#push('', 'opaque', last === -1 ? this.#source.length : last + 1);
  }

  #add(text: string, length: number, escaped = false): void {
    this.#push(text, 'text', this.#at + length, escaped);
  }

  #push(text: string, kind: Unit['kind'], end: number, escaped = false): void {
    this.units.push({ text, kind, start: this.#at, end, quoting: this.quoting, escaped });
    this.#at = end;
  }
}

const letters: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  E: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function unescape(text: string): string {
  const [, kind = ''] = text;
  if (/[xuU]/.test(kind) && text.length > 2) return codePoint(Number.parseInt(text.slice(2), 16));
  if (/[0-7]/.test(kind)) return codePoint(Number.parseInt(text.slice(1), 8));
  return letters[kind] ?? kind;
}

function codePoint(value: number): string {
  return value <= 0x10ffff ? String.fromCodePoint(value) : '\ufffd';
}

/** What the word is when it runs; undefined where only running can tell. @param lookUp the value of a variable. */
export function valueOf(units: readonly Unit[], lookUp: (name: string) => string | undefined): string | undefined {
  let value = '';
  for (const { kind, text } of units) {
    const known = kind === 'text' ? text : kind === 'variable' ? lookUp(text) : undefined;
    if (known === undefined) return undefined;
    value += known;
  }
  return value;
}
