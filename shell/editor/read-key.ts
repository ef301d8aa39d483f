/** What stands at one place of the input: a key, something that is none, or the beginning of more than has come yet. */
import { keyOfConsole, keyOfCsi, keyOfSs3 } from './csi-keys.ts';
import { characterKey, escapeKey, type Key, noModifiers } from './key-event.ts';

const escape = '\u{1b}';
/** Longer than any key's sequence: what goes on beyond it is garbage and is dropped. */
const maxSequence = 128;
/** A terminal's answers (colours, name) are short; a longer one was none. */
const maxAnswer = 4096;
const alt = { ...noModifiers, alt: true };

/** What stands at the front of the input: so many units make a key (or nothing), or more is needed to know. */
interface Taken {
  readonly length: number;
  readonly key: Key | undefined;
}
export type Reading = Taken | 'more';

export function readKey(text: string, at: number): Reading {
  const code = text.codePointAt(at) ?? 0;
  if (code !== 0x1b) {
    const character = String.fromCodePoint(code);
    return { length: character.length, key: characterKey(character, noModifiers, character) };
  }
  return readEscape(text, at);
}

function readEscape(text: string, at: number): Reading {
  const next = text[at + 1];
  if (next === undefined) return 'more';
  if (next === '[') return readCsi(text, at);
  if (next === 'O') return readSs3(text, at);
  if (next === escape) return readAltSequence(text, at);
  if (next === ']' || next === 'P' || next === '_') return readAnswer(text, at, next);
  const character = String.fromCodePoint(text.codePointAt(at + 1) ?? 0);
  const length = 1 + character.length;
  return { length, key: characterKey(character, alt, text.slice(at, at + length)) };
}

/** Escape before a sequence is Alt with that key (rxvt); before anything else it is Escape typed. */
function readAltSequence(text: string, at: number): Reading {
  const third = text[at + 2];
  if (third === undefined) return 'more';
  if (third !== '[' && third !== 'O') return { length: 1, key: escapeKey(noModifiers, escape) };
  const inner = readEscape(text, at + 1);
  if (inner === 'more') return 'more';
  const { key } = inner;
  if (key === undefined || key.name.includes('M-')) return { length: inner.length + 1, key };
  const name = key.name.startsWith('C-') ? `C-M-${key.name.slice(2)}` : `M-${key.name}`;
  return { length: inner.length + 1, key: { ...key, name, raw: escape + key.raw } };
}

function readCsi(text: string, at: number): Reading {
  let index = at + 2;
  if (text[index] === '[') return readConsole(text, at);
  while (index < text.length && isParameter(text.charCodeAt(index))) index++;
  const parametersEnd = index;
  while (index < text.length && isIntermediate(text.charCodeAt(index))) index++;
  if (index - at > maxSequence) return { length: index - at, key: undefined };
  const final = text[index];
  if (final === undefined) return 'more';
  const code = final.charCodeAt(0);
  // Cut off by something that cannot belong to it: the rest is read on its own.
  if (code < 0x40 || code > 0x7e) return { length: index - at, key: undefined };
  const length = index + 1 - at;
  if (final === 'M' && length === 3) return readOldMouse(text, at);
  const raw = text.slice(at, at + length);
  if (parametersEnd !== index) return { length, key: undefined };
  return { length, key: keyOfCsi(text.slice(at + 2, parametersEnd), final, raw) };
}

/** `CSI M` and three characters: button, column, row. */
function readOldMouse(text: string, at: number): Reading {
  return text.length < at + 6 ? 'more' : { length: 6, key: undefined };
}

function readConsole(text: string, at: number): Reading {
  const letter = text[at + 3];
  if (letter === undefined) return 'more';
  return { length: 4, key: keyOfConsole(letter, text.slice(at, at + 4)) };
}

function readSs3(text: string, at: number): Reading {
  let index = at + 2;
  while (index < text.length && index - at < maxSequence && /[0-9;]/.test(text[index] ?? '')) index++;
  const final = text[index];
  if (final === undefined) return 'more';
  if (!/[A-Za-z]/.test(final)) return { length: 2, key: characterKey('O', alt, `${escape}O`) };
  const length = index + 1 - at;
  return { length, key: keyOfSs3(text.slice(at + 2, index), final, text.slice(at, at + length)) };
}

/** OSC, DCS and APC as terminals answer with; anything else behind these letters was typed with Alt. */
function readAnswer(text: string, at: number, kind: string): Reading {
  const third = text[at + 2];
  if (third === undefined) return 'more';
  const isAnswer = kind === ']' ? /[0-9]/ : kind === 'P' ? /[0-9>!+|$]/ : /G/;
  if (!isAnswer.test(third)) return { length: 2, key: characterKey(kind, alt, text.slice(at, at + 2)) };
  for (let index = at + 2; index < text.length; index++) {
    const unit = text[index];
    if (unit === '\u{7}') return { length: index + 1 - at, key: undefined };
    if (unit !== escape) continue;
    if (text[index + 1] === undefined) return 'more';
    return { length: index - at + (text[index + 1] === '\\' ? 2 : 0), key: undefined };
  }
  return text.length - at > maxAnswer ? { length: text.length - at, key: undefined } : 'more';
}

function isParameter(code: number): boolean {
  return code >= 0x30 && code <= 0x3f;
}

function isIntermediate(code: number): boolean {
  return code >= 0x20 && code <= 0x2f;
}
