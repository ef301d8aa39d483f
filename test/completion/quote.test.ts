/** What is inserted, given to bash: it has to be the name again. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { quoteName } from '../../shell/completion/quote.ts';
import { scanWord, valueOf, type Quoting } from '../../shell/completion/scan-word.ts';

const names = [
  'plain',
  'two words',
  "it's",
  'say "hi"',
  '$HOME `id` $(id)',
  'back\\slash\\',
  '~',
  '~root/x',
  '#comment',
  '*?[a-z]{a,b}!',
  'a;b&c|d<e>f(g)h^i',
  'tab\tand\nline',
  '\u001b[31mred\u0007',
  'é 日本 🙂',
  '-n',
  'a=b:c,d@e%f+g',
  'bidi\u202eoverride',
  '\u009b1m',
  'x\u007fy',
  "'\\''",
];
const openings: readonly (readonly [Quoting, string])[] = [
  ['none', ''],
  ['single', "'"],
  ['double', '"'],
  ['ansi', "$'"],
];

function bashSays(words: readonly string[]): string[] {
  const script = `printf '%s\\0' ${words.join(' ')}`;
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', HOME: '/nowhere' };
  return execFileSync('bash', ['--norc', '-c', script], { env }).toString('utf8').split('\0').slice(0, -1);
}

describe('an inserted name', () => {
  it.each(openings)('means itself to bash in quotes: %s', (quoting) => {
    const words = names.map((name) => quoteName(name, { from: 'none', to: quoting }, true));
    expect(bashSays(words)).toEqual(names);
    for (const word of words) expect(word).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it.each(openings)('means itself to bash behind quotes that are open: %s', (from, opening) => {
    for (const [to] of openings) {
      const words = names.map((name) => `${opening}dir/${quoteName(name, { from, to }, true)}`);
      expect(bashSays(words)).toEqual(names.map((name) => `dir/${name}`));
    }
  });

  it.each(openings)('is read back by our own scanner: %s', (quoting) => {
    for (const name of names) {
      const scanned = scanWord(quoteName(name, { from: 'none', to: quoting }, true));
      expect(valueOf(scanned.units, () => undefined)).toBe(name);
      expect(scanned.quoting).toBe('none');
    }
  });
});
