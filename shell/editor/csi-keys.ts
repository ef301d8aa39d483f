/**
 * Meaning of complete CSI and SS3 sequences as keys: the xterm forms with modifiers, modifyOtherKeys (`CSI 27;m;c~`), kitty's and
 * fixterms' `CSI c;m u`, rxvt's and the Linux console's own. Whatever is no key (mouse, focus, a terminal's answers) is nothing.
 */
import { characterKey, type Key, type Modifiers, namedKey, noModifiers } from './key-event.ts';

const byLetter: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  E: 'begin',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
};

const byNumber: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
  25: 'f13',
  26: 'f14',
  28: 'f15',
  29: 'f16',
  31: 'f17',
  32: 'f18',
  33: 'f19',
  34: 'f20',
};

/** The keypad under SS3: j to y, in order, are these. */
const keypad = '*+,-./0123456789';

/** kitty's private codes of the keypad, from 57399. */
const kittyKeypad = [...'0123456789./*-+'.split(''), 'enter', '=', ','];
const kittyKeypadNamed = [
  'left',
  'right',
  'up',
  'down',
  'pageup',
  'pagedown',
  'home',
  'end',
  'insert',
  'delete',
  'begin',
];

/** @param parameters what stands between `CSI` and the final byte; `raw` the whole sequence. */
export function keyOfCsi(parameters: string, final: string, raw: string): Key | undefined {
  if (/^[<=>?]/.test(parameters)) return undefined;
  const fields = parameters.split(';');
  const first = numberOf(fields[0], 1);
  const modifiers = modifiersOf(fields[1]);
  if (isRelease(fields[1])) return undefined;
  if (final === 'u') return keyOfCode(numberOf(fields[0], 0), modifiers, raw);
  if (final === 'Z') return namedKey('tab', { ...modifiers, shift: true }, raw);
  if (final === '~' && first === 27) return keyOfCode(numberOf(fields[2], 0), modifiers, raw);
  if (final === '~') return named(byNumber[first], modifiers, raw);
  if (final === '^' || final === '@') {
    return named(byNumber[first], { ctrl: true, alt: false, shift: final === '@' }, raw);
  }
  // Also the answer to "where is the cursor?": that is no key, and only F3 with modifiers says row 1.
  if (final === 'R' && fields.length > 1 && first !== 1) return undefined;
  if (/^[abcd]$/.test(final)) return named(byLetter[final.toUpperCase()], { ...noModifiers, shift: true }, raw);
  return named(byLetter[final], modifiers, raw);
}

/** `SS3 final`, with the modifier some old terminals put between. */
export function keyOfSs3(parameters: string, final: string, raw: string): Key | undefined {
  const modifiers = modifiersOf(parameters === '' ? undefined : parameters.split(';').at(-1));
  if (final === 'M') return namedKey('enter', modifiers, raw);
  if (/^[abcd]$/.test(final)) return named(byLetter[final.toUpperCase()], { ...noModifiers, ctrl: true }, raw);
  const index = final.charCodeAt(0) - 'j'.charCodeAt(0);
  const character = index >= 0 ? keypad[index] : undefined;
  if (character !== undefined) return characterKey(character, modifiers, raw);
  if (final === 'X') return characterKey('=', modifiers, raw);
  return named(byLetter[final], modifiers, raw);
}

/** The Linux console's `CSI [ A` … `CSI [ E`: F1 to F5. */
export function keyOfConsole(letter: string, raw: string): Key | undefined {
  const index = letter.charCodeAt(0) - 'A'.charCodeAt(0);
  return index >= 0 && index < 5 ? namedKey(`f${index + 1}`, noModifiers, raw) : undefined;
}

function keyOfCode(code: number, modifiers: Modifiers, raw: string): Key | undefined {
  if (code >= 57_399 && code < 57_399 + kittyKeypad.length) {
    const key = kittyKeypad[code - 57_399] ?? '';
    return key === 'enter' ? namedKey(key, modifiers, raw) : characterKey(key, modifiers, raw);
  }
  const keypadName = kittyKeypadNamed[code - 57_417];
  if (keypadName !== undefined) return namedKey(keypadName, modifiers, raw);
  // Private use: modifiers alone, media keys. No character at all: surrogates, beyond Unicode.
  if ((code >= 57_344 && code <= 63_743) || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return undefined;
  if (code === 8) return namedKey('backspace', modifiers, raw);
  const character = String.fromCodePoint(code);
  const shifted = modifiers.shift && code > 0x20 && code !== 0x7f ? character.toUpperCase() : character;
  return characterKey(shifted, modifiers, raw);
}

function named(word: string | undefined, modifiers: Modifiers, raw: string): Key | undefined {
  return word === undefined ? undefined : namedKey(word, modifiers, raw);
}

/** The field is 1 + a bit set, perhaps with `:event type` behind it: 1 shift, 2 alt, 4 ctrl, 32 meta. */
function modifiersOf(field: string | undefined): Modifiers {
  const bits = Math.max(0, numberOf(field, 1) - 1);
  return { shift: (bits & 1) !== 0, alt: (bits & 34) !== 0, ctrl: (bits & 4) !== 0 };
}

function isRelease(field: string | undefined): boolean {
  return field?.split(':')[1] === '3';
}

function numberOf(field: string | undefined, otherwise: number): number {
  const number = Number.parseInt(field ?? '', 10);
  return Number.isNaN(number) ? otherwise : number;
}
