import { describe, expect, it } from 'vitest';
import { expandNodeset, foldNames, Nodeset, parseNodeset } from '../../../src/ids/nodeset/index.ts';
import { NshError } from '../../../src/protocol/errors.ts';

const labels = (label: string): readonly string[] | undefined =>
  new Map([
    ['all', ['web1', 'web2', 'web3', 'db1', 'db12']],
    ['gpu', ['web2', 'db1']],
    ['rack1', ['web1']],
    ['rack2', ['web2', 'web3']],
    ['rack=3:a', ['db12']],
  ]).get(label);

function messageOf(text: string, options = {}): string {
  try {
    parseNodeset(text, options);
  } catch (error) {
    if (error instanceof NshError && error.code === 'nodeset') return error.message;
    throw error;
  }
  throw new Error(`${text} was not refused`);
}

describe('a malformed nodeset', () => {
  it.each([
    ['web[1-', 4, "this '[' is never closed"],
    ['db1,web]', 8, "this ']' closes nothing"],
    ['web[1-5,8-6]', 9, "'8-6' runs backwards"],
    ['web[1,x]', 7, "'x' is not a number nor a range such as 1-16 or 0-10/2"],
    ['web[01-100]', 5, "both ends of '01-100' must have as many digits, as in 01-16 or 001-100"],
    ['a,,b', 3, "a name is missing before ','"],
    ['a!', 3, "a name is missing after '!'"],
    ['web[1-2][3-4]', 9, 'two brackets need something other than digits between them'],
    ['web[[1]]', 5, "a '[' within brackets"],
    ['n1[9-10]', 4, "after the digits '1', 9-10 must have as many digits at both ends"],
    ['@nope', 1, "no node has the label 'nope'"],
    ['web1,@', 6, "a label is missing after '@'"],
  ])('%j is refused at column %i', (text, column, problem) => {
    expect(messageOf(text, { labels })).toBe(`nodeset '${text}', column ${column}: ${problem}`);
  });

  it('never brings control characters into the message', () => {
    expect(messageOf('a\u001b[31m\u0007]')).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe('more than a million names', () => {
  it.each(['web[1-1000001]', 'web[0-4000000000]', 'r[1-2000]n[1-2000]', 'a[1-600000],b[1-600000]'])(
    '%s is refused',
    (text) => {
      expect(messageOf(text)).toMatch(/1,000,000/);
    },
  );

  it('a million is not', () => {
    expect(parseNodeset('web[1-1000000]').count).toBe(1_000_000);
    expect(parseNodeset('r[1-1000]n[1-1000]').fold()).toBe('r[1-1000]n[1-1000]');
  });
});

describe('labels', () => {
  it.each([
    ['@gpu', 'db1,web2'],
    ['@all', 'db[1,12],web[1-3]'],
    ['@*', 'db[1,12],web[1-3]'],
    ['@all!@gpu', 'db12,web[1,3]'],
    ['@rack[1-2]', 'web[1-3]'],
    ['@rack=3:a', 'db12'],
    ['@gpu,new1&@gpu', 'db1,web2'],
    ['@all&@rack2', 'web[2-3]'],
  ])('%j means %j', (text, fold) => {
    expect(parseNodeset(text, { labels }).fold()).toBe(fold);
  });

  it('are refused where nobody can say what they mean', () => {
    expect(messageOf('@gpu')).toContain("no node has the label 'gpu'");
  });
});

describe('wildcards', () => {
  it.each([
    ['web*', 'web[1-3]'],
    ['*1', 'db1,web1'],
    ['db?', 'db1'],
    ['*', 'db[1,12],web[1-3]'],
    ['*!web*', 'db[1,12]'],
    ['?b[1-12]', 'db[1,12]'],
    ['x*', ''],
    ['w.b*', ''],
  ])('%j matches %j', (text, fold) => {
    expect(parseNodeset(text, { labels }).fold()).toBe(fold);
  });

  it('are ordinary characters where the cluster is not known', () => {
    expect(expandNodeset('web*')).toEqual(['web*']);
  });
});

describe('a nodeset', () => {
  it('is split into subsets of nearly equal size, in order', () => {
    expect(
      parseNodeset('a[1-7]')
        .split(3)
        .map((set) => set.fold()),
    ).toEqual(['a[1-3]', 'a[4-5]', 'a[6-7]']);
    expect(
      parseNodeset('a[1-2]')
        .split(5)
        .map((set) => set.fold()),
    ).toEqual(['a1', 'a2']);
    expect(Nodeset.empty.split(5)).toEqual([]);
  });

  it('is not changed by what is made of it', () => {
    const first = parseNodeset('a[1-3],r[1-2]n[1-2]');
    const before = first.fold();
    first.union(parseNodeset('a9,r3n3,z')).xor(first).subtract(parseNodeset('r1n1'));
    first.intersect(parseNodeset('a1'));
    expect(first.fold()).toBe(before);
  });

  it('folds steps only where asked to', () => {
    const nodes = parseNodeset('n[2,4,6,8,11-13]');
    expect(nodes.fold()).toBe('n[2,4,6,8,11-13]');
    expect(nodes.fold({ autostep: 4 })).toBe('n[2-8/2,11-13]');
    expect(nodes.fold({ autostep: 5 })).toBe('n[2,4,6,8,11-13]');
  });

  it('keeps numbers of any length apart', () => {
    expect(foldNames(['m12345678901234567891', 'm12345678901234567890', 'm12345678901234567893'])).toBe(
      'm[12345678901234567890-12345678901234567891,12345678901234567893]',
    );
  });

  it('of 20,000 single names folds at once', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `rack${index % 100}n${index}`);
    const fold = foldNames(names);
    expect(expandNodeset(fold)).toHaveLength(20_000);
  });
});
