import { describe, expect, it } from 'vitest';
import { StatLine, statField } from '../../../agent/procfs/stat-line.ts';
import { statusNumber, statusText } from '../../../agent/procfs/status-file.ts';
import { decodeText } from '../../../agent/procfs/text.ts';

const numbers =
  '1 4711 4711 34816 4720 4194304 1 2 3 4 5 6 7 8 20 -5 1 0 159428 3133440 384 18446744073709551615 94817788289024 94817788308905 140722227151248 0 0 0 0 0 0 1 0 0 17 1 50 2 0 0 0 1 2 3 4 5 6 7 0';

function parse(line: string | Buffer): StatLine | undefined {
  const bytes = Buffer.from(line as string);
  const stat = new StatLine();
  return stat.parse(bytes, bytes.length) ? stat : undefined;
}

describe('a stat line', () => {
  it.each([
    ['sleep', 'sleep'],
    ['', ''],
    ['a) R 1 (b', 'a) R 1 (b'],
    [')))', ')))'],
    ['((', '(('],
    ['new\nline', 'new\nline'],
    [' lead and trail ', ' lead and trail '],
    ['tab\there', 'tab\there'],
    ['schläfer', 'schläfer'],
  ])('with the name %j', (name, expected) => {
    const stat = parse(`4711 (${name}) S ${numbers}\n`);
    expect(stat?.comm).toBe(expected);
    expect(stat?.state).toBe('S');
    expect(stat?.fields[statField.ppid]).toBe(1);
  });

  it('has its numbers at the places that proc(5) gives them, negative ones too', () => {
    const { fields } = parse(`4711 (x) R ${numbers}\n`) ?? new StatLine();
    const field = (name: keyof typeof statField) => fields[statField[name]];
    expect([field('tpgid'), field('ttyNr'), field('utime'), field('cstime')]).toEqual([4720, 34816, 5, 8]);
    expect([field('priority'), field('nice'), field('start'), field('vsizeBytes')]).toEqual([20, -5, 159428, 3133440]);
    expect([field('rssPages'), field('exitSignal'), field('processor')]).toEqual([384, 17, 1]);
    expect([field('rtPriority'), field('policy')]).toEqual([50, 2]);
    expect(parse(`1 (x) S 0 1 1 0 -1 0 0`)?.fields[statField.tpgid]).toBe(-1);
  });

  it('keeps nothing of the line before', () => {
    const stat = new StatLine();
    const long = Buffer.from(`1 (x) S ${numbers}`);
    const short = Buffer.from('2 (y) Z 1 1 1 0 -1 0 ');
    stat.parse(long, long.length);
    stat.parse(short, short.length);
    expect([stat.comm, stat.state, stat.fields[statField.start], stat.fields[statField.policy]]).toEqual([
      'y',
      'Z',
      0,
      0,
    ]);
  });

  it.each(['', '4711', '4711 (', '4711 (x', '4711 (x)', 'x y z'])('that is none is refused: %j', (line) => {
    expect(parse(line)).toBeUndefined();
  });
});

describe('text of the kernel', () => {
  it('keeps valid UTF-8 and replaces each broken byte by one U+FFFD', () => {
    const decode = (bytes: Buffer) => decodeText(bytes, 0, bytes.length);
    expect(decode(Buffer.from('é文😀'))).toBe('é文😀');
    expect(decode(Buffer.from([0x61, 0xff, 0xfe, 0x62]))).toBe('a\ufffd\ufffdb');
    expect(decode(Buffer.concat([Buffer.from('文'), Buffer.from([0xe6, 0x96])]))).toBe('文\ufffd\ufffd');
    expect(decode(Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80]))).toBe('\ufffd(\ufffd\ufffd\ufffd');
  });
});

describe('a status file', () => {
  const status = 'Name:\tx\\nUid:\t9\nUid:\t0\t1\t2\t3\nGroups:\t4 5 6 \nVmRSS:\t    1672 kB\nNoNewPrivs:\t1\n';
  it('gives numbers by place and text without blanks', () => {
    expect([0, 1, 2, 3, 4].map((place) => statusNumber(status, 'Uid', place))).toEqual([0, 1, 2, 3, null]);
    expect(statusNumber(status, 'VmRSS')).toBe(1672);
    expect(statusNumber(status, 'VmLck')).toBeNull();
    expect(statusText(status, 'Groups')).toBe('4 5 6');
    expect(statusText(status, 'Seccomp')).toBeUndefined();
  });
});
