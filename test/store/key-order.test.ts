import { expect, it } from 'vitest';
import { compareKeys } from '../../src/store/key-order.ts';

it('compares as the UTF-8 bytes do', () => {
  const keys = [
    '',
    '\0',
    'a',
    'a\0',
    'ab',
    'b',
    '\u007f',
    '\u0080',
    'é',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '😀',
    '😀a',
    '\u{10ffff}',
  ];
  for (const a of keys)
    for (const b of keys)
      expect([a, b, Math.sign(compareKeys(a, b))]).toEqual([a, b, Buffer.compare(Buffer.from(a), Buffer.from(b))]);
});
