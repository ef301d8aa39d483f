import { describe, expect, it } from 'vitest';
import { LineStarts } from '../../shell/run/tail.ts';

const both = { stdout: true, stderr: true };

function starts(lines: number, pieces: readonly (readonly ['stdout' | 'stderr', string])[]): unknown {
  const counter = new LineStarts(lines, { stdout: 100, stderr: 0 });
  const ends = { stdout: 100, stderr: 0 };
  for (const [stream, text] of pieces) {
    counter.see(stream, Buffer.from(text));
    ends[stream] += text.length;
  }
  return counter.starts(ends, both);
}

describe('the last lines of kept output', () => {
  it('begin where the line before them ended', () => {
    expect(starts(2, [['stdout', 'a\nbb\nccc\n']])).toEqual({ stdout: 102, stderr: 0 });
    expect(starts(1, [['stdout', 'a\nbb\nno end']])).toEqual({ stdout: 105, stderr: 0 });
    expect(starts(9, [['stdout', 'a\nbb\n']])).toEqual({ stdout: 100, stderr: 0 });
  });

  it('are found however the bytes come', () => {
    const whole = 'one\ntwo\n\nfour';
    for (let at = 0; at <= whole.length; at++) {
      const cut = [
        ['stdout', whole.slice(0, at)],
        ['stdout', whole.slice(at)],
      ] as const;
      expect(starts(2, cut)).toEqual({ stdout: 108, stderr: 0 });
    }
  });

  it('are counted over both streams in their order', () => {
    const pieces = [
      ['stdout', 'line 1\n'],
      ['stderr', 'e1\n'],
      ['stdout', 'line 2\n'],
      ['stderr', 'e2\n'],
    ] as const;
    expect(starts(2, pieces)).toEqual({ stdout: 107, stderr: 3 });
    expect(starts(1, pieces)).toEqual({ stdout: 114, stderr: 3 });
  });
});
