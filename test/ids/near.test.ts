import { describe, expect, it } from 'vitest';
import { editDistance, findNear, suggestNear } from '../../src/ids/near.ts';

describe('the distance between two words', () => {
  it.each([
    ['web1', 'web1', 0],
    ['web1', 'web2', 1],
    ['web1', 'wbe1', 1],
    ['web1', 'we1', 1],
    ['web1', 'webb1', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['abcd', 'badc', 2],
  ])('from %j to %j is %i, and so it is back', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('near matches', () => {
  const nodes = ['web1', 'web2', 'web10', 'db1', 'gateway'];
  it.each([
    ['wbe1', ['web1']],
    ['web3', ['web1', 'web2']],
    ['gatewya', ['gateway']],
    ['GATEWAY', ['gateway']],
    ['db', ['db1']],
    ['zzz', []],
    ['x', []],
  ])('of %j are %j', (word, near) => {
    expect(findNear(word, nodes)).toEqual(near);
  });

  it('are put as a question, or not at all', () => {
    expect(suggestNear('gatewya', nodes)).toBe("; did you mean 'gateway'?");
    expect(suggestNear('web3', ['web1', 'web2', 'web10'])).toBe("; did you mean 'web1' or 'web2'?");
    expect(suggestNear('zzz', nodes)).toBe('');
  });
});
