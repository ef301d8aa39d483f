import { describe, expect, it } from 'vitest';
import { cutToWidth, displayWidth, escapeJson, escapeLines, escapeText } from '../../shell/escape.ts';

describe('text from a node', () => {
  it('keeps what can be printed', () => {
    for (const text of ['', 'plain ~!', 'schläfer', '日本語', '👩‍👩‍👧', 'e\u0301']) expect(escapeText(text)).toBe(text);
  });

  it.each([
    ['C0', '\x00\x07\x08\t\n\r\x1b\x1f'],
    ['DEL and C1', '\x7f\x80\x9b\x9f'],
    ['direction marks and overrides', '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'],
    ['line and paragraph separators', '\u2028\u2029'],
    ['what cannot be seen', '\u00ad\u200b\u2060\ufeff\ufff9'],
    ['broken bytes and halves of characters', '\ufffd\ud800\udc00\ud800'],
  ])('shows a ? for each of: %s', (_, text) => {
    const shown = escapeText(`a${text}b`);
    // \udc00 after \ud800 is a character of its own, and fine
    expect(shown.replace('\ud800\udc00', '??')).toBe(`a${'?'.repeat(text.length)}b`);
  });

  it('hides tags, which are two units each', () => {
    expect(escapeText('a\u{e0041}b')).toBe('a?b');
  });

  it('keeps lines and tabs of a message', () => {
    expect(escapeLines('one\n\ttwo\x1b[1m\r\n')).toBe('one\n\ttwo?[1m?\n');
  });

  it('stays the same data as JSON', () => {
    const value = { a: 'x\x1b\u009b\u202e\x7f\u2028é' };
    const json = escapeJson(JSON.stringify(value));
    expect(json).toMatch(/^[\x20-\x7eé]*$/);
    expect(JSON.parse(json)).toEqual(value);
  });
});

describe('cells', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['한', 2],
    ['ｆ', 2],
    ['👍', 2],
    ['—…', 2],
    ['Ω∑', 2],
    ['ก็', 1],
  ])('%j takes %i', (text, cells) => {
    expect(displayWidth(text)).toBe(cells);
  });

  it('are never cut in two', () => {
    expect(cutToWidth('日本語', 5)).toBe('日本');
    expect(cutToWidth('日本語', 6)).toBe('日本語');
    expect(cutToWidth('ae\u0301b', 2)).toBe('ae\u0301');
    expect(cutToWidth('abc', 0)).toBe('');
    expect(cutToWidth('abc', 2)).toBe('ab');
    expect(cutToWidth('abc', 9)).toBe('abc');
  });
});
