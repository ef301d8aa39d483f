/**
 * Reads what `declare -f`, `declare -F`, `alias -p` and `trap -p` print. A function's text is code by its nature; what is checked is that it is exactly one
 * definition of the name it goes by, with nothing before or behind it that would run when it is defined.
 */
import { parse } from 'unbash';
import { ByteCursor, MalformedState } from './byte-cursor.ts';
import type { ByteText } from '../language/byte-text.ts';
import type { ShellFunction } from './snapshot.ts';

/** @param listing what `declare -F` printed: it names the attributes. */
export function readFunctions(
  text: ByteText,
  listing: ByteText,
  refuse: (reason: string) => void,
): Map<ByteText, ShellFunction> {
  const attributes = readListing(listing, refuse);
  const found = new Map<ByteText, ShellFunction>();
  if (text === '') return found;
  for (const definition of splitDefinitions(text)) {
    const name = definition.slice(0, definition.indexOf(' ()'));
    if (relied.has(name)) refuse(`a function (nsh relies on bash's own ${name})`);
    else if (isOneDefinition(definition, name)) {
      found.set(name, { text: definition, attributes: attributes.get(name) ?? '' });
    } else {
      refuse('a function (its text is not one definition)');
    }
  }
  return found;
}

/** What the restoring and reporting of a session calls: functions come before builtins. */
const relied: ReadonlySet<string> = new Set(['builtin', 'command', 'exec']);

function readListing(listing: ByteText, refuse: (reason: string) => void): Map<ByteText, string> {
  const attributes = new Map<ByteText, string>();
  for (const line of listing.split('\n')) {
    const [, letters, name] = /^declare -f([irtx]*) (\S+)$/.exec(line) ?? [];
    if (name !== undefined) attributes.set(name, (letters ?? '').replaceAll(/[^tx]/g, ''));
    else if (line !== '') refuse('a name of a function');
  }
  return attributes;
}

/** Bash prints `NAME () \n{ \n …\n}\n` for each, the last brace in the first column. */
function splitDefinitions(text: ByteText): ByteText[] {
  const whole = parse(text);
  const definitions = whole.commands.filter((each) => !isAttributeLine(text.slice(each.pos, each.end)));
  if (whole.errors === undefined && definitions.every(({ command }) => command.type === 'Function')) {
    return definitions.map(({ pos, end }) => text.slice(pos, end));
  }
  // Something in it is not what it should be: cut at what looks like headers, so that the sound ones survive.
  return text.split(/(?<=\n\}\n)(?=\S+ \(\) \n)/).map((part) => part.replace(/\n$/, ''));
}

/** Behind a function that is exported or traced stands `declare -fx NAME`; `declare -F` tells the same. */
function isAttributeLine(text: ByteText): boolean {
  return /^declare -f[a-z]+ \S+$/.test(text);
}

function isOneDefinition(text: ByteText, name: ByteText): boolean {
  if (!/^[^\s;&|<>()$`"'\\]+$/.test(name) || !text.startsWith(`${name} () \n`) || /\0/.test(text)) return false;
  const { commands, errors } = parse(text);
  const [only] = commands;
  if (errors !== undefined || commands.length !== 1 || only?.command.type !== 'Function') return false;
  if (only.background === true || only.pos !== 0 || text.slice(only.end).trim() !== '') return false;
  return only.command.name.text === name;
}

/** `alias NAME='VALUE'` lines. */
export function readAliases(text: ByteText, refuse: (reason: string) => void): Map<ByteText, ByteText> {
  const found = new Map<ByteText, ByteText>();
  readEach(text, 'alias ', refuse, (cursor) => {
    cursor.skipIf('-- ');
    const name = cursor.match(/[^\s=/$`"'\\|&;()<>]+/y);
    if (name === undefined) throw new MalformedState('an alias without a name');
    cursor.skip('=');
    found.set(name, cursor.word(/(?!)/y));
  });
  return found;
}

/** `trap -- 'TEXT' NAME` lines. */
export function readTraps(text: ByteText, refuse: (reason: string) => void): Map<string, ByteText> {
  const found = new Map<string, ByteText>();
  readEach(text, 'trap -- ', refuse, (cursor) => {
    const action = cursor.word(/(?!)/y);
    cursor.skip(' ');
    const name = cursor.match(/[A-Z0-9+-]+/y);
    if (name === undefined) throw new MalformedState('a trap without a signal');
    found.set(name, action);
  });
  return found;
}

function readEach(
  text: ByteText,
  head: string,
  refuse: (reason: string) => void,
  readOne: (cursor: ByteCursor) => void,
): void {
  const cursor = new ByteCursor(text);
  while (!cursor.atEnd) {
    const start = cursor.at;
    try {
      cursor.skip(head);
      readOne(cursor);
      cursor.skip('\n');
    } catch (error) {
      if (!(error instanceof MalformedState)) throw error;
      refuse(`a line of ${head.trim().replace(/ .*/, '')} (${error.message})`);
      const next = text.indexOf(`\n${head}`, start);
      cursor.at = next < 0 ? text.length : next + 1;
    }
  }
}
