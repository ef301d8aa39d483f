import { describe, expect, it } from 'vitest';
import { ByteCursor, MalformedState } from '../../shell/session/byte-cursor.ts';

const read = (text: string): string => {
  const cursor = new ByteCursor(text);
  const word = cursor.word(/[a-z0-9]+/y);
  if (!cursor.atEnd) throw new MalformedState('more');
  return word;
};

describe('values as bash prints them', () => {
  it.each([
    ['"plain"', 'plain'],
    ['"a \\"b\\" \\$c \\`d\\` \\\\e"', 'a "b" $c `d` \\e'],
    ['"two\nlines"', 'two\nlines'],
    ["$'tab\\there\\nand \\'quote\\' \\\\ \\E[0m'", "tab\there\nand 'quote' \\ \u001b[0m"],
    ["$'\\377\\001\\x41'", '\u00ff\u0001A'],
    ["'it'\\''s'", "it's"],
    ['bare', 'bare'],
    ['""', ''],
  ])('%s is read', (text, value) => {
    expect(read(text)).toBe(value);
  });

  it.each([
    ['$(touch x)'],
    ['`touch x`'],
    ['"$(touch x)"'],
    ['"`touch x`"'],
    ['"$HOME"'],
    ['"\\n"'],
    ["$'\\u0041'"],
    ["$'\\cA'"],
    ["$'\\0'"],
    ['"open'],
    ["'open"],
    ["$'open"],
    ['a;b'],
    ['a b'],
    [''],
  ])('%s is refused', (text) => {
    expect(() => read(text)).toThrow(MalformedState);
  });
});
