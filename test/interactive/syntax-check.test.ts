import { describe, expect, it } from 'vitest';
import { findSyntaxError } from '../../shell/interactive/syntax-check.ts';

describe('a line', () => {
  it.each([['@web1 { a; b; }'], ['@web1 (a) | b'], ['for i in 1; do @web1 [[ a ]]; done'], ['ls | wc']])(
    'is right: %s',
    async (line) => {
      expect(await findSyntaxError(line)).toBeUndefined();
    },
  );

  it.each([
    ['@web1 { a; } }', 'column 14'],
    ['ls | | wc', 'column 6'],
  ])('is wrong at its place: %s', async (line, place) => {
    expect(await findSyntaxError(line)).toContain(place);
  });
});
