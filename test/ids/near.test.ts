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
    ['', []],
    ['w', ['web1', 'web2', 'web10']],
    ['gate', ['gateway']],
    ['g', ['gateway']],
    ['bd1', ['db1']],
    ['1b', []],
    ['d1', ['db1']],
    ['wxx1', []],
  ])('of %j are %j', (word, near) => {
    expect(findNear(word, nodes)).toEqual(near);
  });

  it('are put as a question, or not at all', () => {
    expect(suggestNear('gatewya', nodes)).toBe("; did you mean 'gateway'?");
    expect(suggestNear('web3', ['web1', 'web2', 'web10'])).toBe("; did you mean 'web1' or 'web2'?");
    expect(suggestNear('zzz', nodes)).toBe('');
  });

  it('are no guess: one slip in three letters, two in six', () => {
    const commands = ['ps', 'pgrep', 'pkill', 'kill', 'run', 'nodes', 'nodeset', 'attach', 'io', 'f', 'oom'];
    expect(findNear('nsh', commands)).toEqual([]);
    expect(findNear('foo', commands)).toEqual([]);
    expect(findNear('fo', commands)).toEqual([]);
    expect(findNear('p', commands)).toEqual(['ps', 'pgrep', 'pkill']);
    expect(findNear('rum', commands)).toEqual(['run']);
    expect(findNear('attchh', commands)).toEqual(['attach']);
    expect(findNear('att', commands)).toEqual(['attach']);
  });

  it('are not those that begin with the word where these are many', () => {
    const many = Array.from({ length: 500 }, (_, index) => `node-${index + 100}`);
    expect(findNear('node', many)).toEqual([]);
  });

  it('are written as they are typed, and never act on a terminal', () => {
    expect(suggestNear('jsno', ['json', 'on'], (near) => `--${near}`)).toBe("; did you mean '--json'?");
    const evil = suggestNear('lab', ['la\u001b]0;x\u0007', 'la\u009b', 'la\n']);
    expect(evil).toMatch(/did you mean/);
    expect(evil).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});
