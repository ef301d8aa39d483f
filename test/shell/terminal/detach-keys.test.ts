import { describe, expect, it } from 'vitest';
import { defaultDetachKeys, DetachKeyParser, parseDetachKeys } from '../../../shell/terminal/detach-keys.ts';

/** Feeds pieces one after the other; what was passed on, with `<detached>` where it ended. */
function type(keys: string, ...pieces: string[]): string {
  const parser = new DetachKeyParser(parseDetachKeys(keys));
  let out = '';
  for (const piece of pieces) {
    const { pass, detached } = parser.feed(Buffer.from(piece, 'latin1'));
    out += pass.toString('latin1');
    if (detached) return `${out}<detached>`;
  }
  return out;
}

describe('detach keys', () => {
  it.each([
    ['pass ordinary text untouched', 'hello\r', 'hello\r'],
    ['detach at the sequence', 'ab\u001cd', 'ab<detached>'],
    ['drop what follows the sequence', 'ab\u001cdrest', 'ab<detached>'],
    ['send the prefix once where it is typed twice', '\u001c\u001cx', '\u001cx'],
    ['pass both on before any other key', '\u001cx', '\u001cx'],
    ['send the prefix once and then look for the sequence anew', '\u001c\u001c\u001cd', '\u001c<detached>'],
    ['not take d alone', 'ddd', 'ddd'],
    ['pass escape sequences on', '\u001b[A\u001b[1;5C', '\u001b[A\u001b[1;5C'],
    ['know the prefix and the key in the kitty protocol', '\u001b[92;5u\u001b[100u', '<detached>'],
    ['know them with event types, releases in between', '\u001b[92;5:1u\u001b[92;5:3u\u001b[100;1:1u', '<detached>'],
    ["know the prefix in xterm's modifyOtherKeys", '\u001b[27;5;92~d', '<detached>'],
    ['pass a kitty prefix on with the key that follows', '\u001b[92;5u\u001b[101u', '\u001b[92;5u\u001b[101u'],
    ['not take alt-ctrl for ctrl', '\u001b[92;7ud', '\u001b[92;7ud'],
  ])('%s', (_title, typed, expected) => {
    expect(type(defaultDetachKeys, typed)).toBe(expected);
    expect(type(defaultDetachKeys, ...(typed.includes('\u001b') ? [typed] : Array.from(typed)))).toBe(expected);
  });

  it('hands ordinary input on without a copy', () => {
    const parser = new DetachKeyParser(parseDetachKeys(defaultDetachKeys));
    const bytes = Buffer.from('plain');
    expect(parser.feed(bytes).pass).toBe(bytes);
  });

  it('can be a sequence of three keys, passed on where it breaks off', () => {
    expect(type('ctrl-a b c', '\u0001bc')).toBe('<detached>');
    expect(type('ctrl-a b c', '\u0001bx')).toBe('\u0001bx');
    expect(type('ctrl-a b c', '\u0001b\u0001bc')).toBe('\u0001b<detached>');
  });

  it('can be one key, or none', () => {
    expect(type('^]', 'a\u001db')).toBe('a<detached>');
    expect(type('none', '\u001cd')).toBe('\u001cd');
    expect(type('', '\u001cd')).toBe('\u001cd');
  });

  it.each([
    ['ctrl-p,ctrl-q', [0x10, 0x11]],
    ['C-a d', [0x01, 0x64]],
    ['^X', [0x18]],
    ['^? ~', [0x7f, 0x7e]],
    ['ctrl-@', [0x00]],
    ['CTRL-\\ D', [0x1c, 0x44]],
  ])('reads %s', (text, bytes) => {
    expect(parseDetachKeys(text).map((key) => key.byte)).toEqual(bytes);
  });

  it.each(['ctrl-ä', 'F1', 'ctrl-', 'ctrl-5'])('refuses %s', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(/is no key/);
  });
});
