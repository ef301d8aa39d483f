import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/rpc/line-splitter.ts';

function lines(splitter: LineSplitter, chunk: string): string[] {
  splitter.push(Buffer.from(chunk));
  const found: string[] = [];
  for (let line = splitter.next(); line !== undefined; line = splitter.next()) found.push(line.toString());
  return found;
}

describe('LineSplitter', () => {
  it('gives the same lines wherever the bytes are cut', () => {
    const text = 'one\n\nthree is long\nfour\nrest';
    for (let cut = 0; cut <= text.length; cut++) {
      for (let second = cut; second <= text.length; second++) {
        const splitter = new LineSplitter(100);
        const found = [text.slice(0, cut), text.slice(cut, second), text.slice(second)].flatMap((part) =>
          lines(splitter, part),
        );
        expect(found).toEqual(['one', '', 'three is long', 'four']);
        expect(splitter.takeRest().toString()).toBe('rest');
      }
    }
  });

  it('hands over what follows a line that was taken', () => {
    const splitter = new LineSplitter(100);
    splitter.push(Buffer.from('message\nraw\nbytes'));
    expect(splitter.next()?.toString()).toBe('message');
    expect(splitter.takeRest().toString()).toBe('raw\nbytes');
    expect(splitter.next()).toBeUndefined();
  });

  it('refuses a line over its limit, whole or in pieces', () => {
    expect(() => lines(new LineSplitter(4), '12345\n')).toThrow(/limit of 4 bytes/);
    const splitter = new LineSplitter(4);
    expect(lines(splitter, '123')).toEqual([]);
    expect(() => lines(splitter, '45')).toThrow(/limit of 4 bytes/);
    expect(lines(new LineSplitter(4), '1234\n')).toEqual(['1234']);
  });
});
