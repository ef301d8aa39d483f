/** Reads what `declare -p` prints. */
import { ByteCursor, MalformedState } from './byte-cursor.ts';
import type { ByteText } from '../language/byte-text.ts';
import type { Variable, VariableValue } from './snapshot.ts';

/** @param refuse told of each declaration that was dropped. */
export function readVariables(text: ByteText, refuse: (reason: string) => void): Map<string, Variable> {
  const found = new Map<string, Variable>();
  const cursor = new ByteCursor(text);
  while (!cursor.atEnd) {
    const start = cursor.at;
    try {
      const [name, variable] = readDeclaration(cursor);
      found.set(name, variable);
    } catch (error) {
      if (!(error instanceof MalformedState)) throw error;
      refuse(`a variable (${error.message})`);
      const next = text.indexOf('\ndeclare -', start);
      cursor.at = next < 0 ? text.length : next + 1;
    }
  }
  return found;
}

function readDeclaration(cursor: ByteCursor): [string, Variable] {
  cursor.skip('declare -');
  const letters = cursor.match(/-|[aAilnrtucx]+/y);
  cursor.skip(' ');
  const name = cursor.match(/[A-Za-z_][A-Za-z0-9_]*/y);
  if (letters === undefined || name === undefined) throw new MalformedState(`no name at byte ${cursor.at}`);
  const attributes = letters === '-' ? '' : [...new Set(letters)].sort().join('');
  const value = cursor.skipIf('=') ? readValue(cursor, attributes) : undefined;
  cursor.skip('\n');
  const variable: Variable = value === undefined ? { attributes } : { attributes, value };
  checkSafe(variable);
  return [name, variable];
}

function readValue(cursor: ByteCursor, attributes: string): VariableValue {
  const isArray = /[aA]/.test(attributes);
  if (!isArray) return cursor.word(/[A-Za-z0-9_.,:/=+@%^-]+/y);
  // Bash before 4.4 quotes the whole list once more.
  if (cursor.looksAt("'")) {
    const inner = new ByteCursor(cursor.word(/(?!)/y));
    const list = readList(inner, attributes);
    if (!inner.atEnd) throw new MalformedState('something behind an array');
    return list;
  }
  return readList(cursor, attributes);
}

function readList(cursor: ByteCursor, attributes: string): VariableValue {
  const pairs: [ByteText, ByteText][] = [];
  cursor.skip('(');
  while (!cursor.skipIf(')')) {
    cursor.skip('[');
    const subscript = attributes.includes('A') ? cursor.word(/[^\]\s"'$`\\]+/y) : cursor.match(/\d+/y);
    if (subscript === undefined) throw new MalformedState(`no subscript at byte ${cursor.at}`);
    cursor.skip(']=');
    pairs.push([subscript, cursor.word(/[A-Za-z0-9_.,:/=+@%^-]+/y)]);
    cursor.skipIf(' ');
  }
  return pairs;
}

/** Bash evaluates the values of integers and the targets of namerefs as arithmetic and subscripts: there `a[$(command)]` would run. */
function checkSafe({ attributes, value }: Variable): void {
  if (value === undefined) return;
  if (attributes.includes('i')) {
    const elements = typeof value === 'string' ? [value] : value.map(([, element]) => element);
    if (!elements.every((element) => /^(-?\d+)?$/.test(element))) throw new MalformedState('an integer that is none');
  }
  if (attributes.includes('n')) {
    const isPlain = typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]*(\[([A-Za-z0-9_]+|[@*])\])?$/.test(value);
    if (!isPlain) throw new MalformedState('a reference to no variable');
  }
}
