import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../shell/editor/display-width.ts';
import { type Layout, type LayoutInput, LineLayout } from '../../shell/editor/layout.ts';
import { cpuMsOf } from './cpu-time.ts';

const plain = { prompt: [{ text: '$ ', style: 'prompt' }], continuation: [{ text: '> ', style: 'more' }] };

function layOut(text: string, options: Partial<LayoutInput> = {}): Layout {
  return new LineLayout().layout(inputOf(text, options));
}

function inputOf(text: string, options: Partial<LayoutInput> = {}): LayoutInput {
  return { ...plain, text, cursor: text.length, spans: [], suggestion: '', width: 10, maxRows: 100, ...options };
}

const rowsOf = ({ rows }: Layout): string[] => rows.map((row) => row.map(({ text }) => text).join(''));
const cursorOf = ({ cursorRow, cursorColumn }: Layout): [number, number] => [cursorRow, cursorColumn];

describe('rows', () => {
  const cases: readonly (readonly [string, readonly string[], readonly [number, number]])[] = [
    ['', ['$ '], [0, 2]],
    ['abc', ['$ abc'], [0, 5]],
    ['abcdefgh', ['$ abcdefgh', ''], [1, 0]],
    ['abcdefghi', ['$ abcdefgh', 'i'], [1, 1]],
    ['a\nb', ['$ a', '> b'], [1, 3]],
    ['a\n', ['$ a', '> '], [1, 2]],
    ['abcdefgh\nb', ['$ abcdefgh', '', '> b'], [2, 3]],
    ['日本語日本', ['$ 日本語日', '本'], [1, 2]],
    ['a日本語日', ['$ a日本語', '日'], [1, 2]],
    ['e\u{301}e\u{301}', ['$ e\u{301}e\u{301}'], [0, 4]],
    ['👨‍👩‍👧x', ['$ 👨‍👩‍👧x'], [0, 5]],
    ['❤️x', ['$ ❤️x'], [0, 5]],
    ['🇩🇪🇫🇷', ['$ 🇩🇪🇫🇷'], [0, 6]],
    ['\u{1}x\u{1b}', ['$ ^Ax^['], [0, 7]],
    ['\u{7f}', ['$ ^?'], [0, 4]],
    ['\u{9b}31m', ['$ <9B>31m'], [0, 9]],
    ['\u{202e}x', ['$ <202E>x'], [0, 9]],
    ['\u{ad}b', ['$ <00AD>b'], [0, 9]],
    ['กำx', ['$ กำx'], [0, 5]],
    ['\u{301}', ['$ \u{25cc}\u{301}'], [0, 3]],
    ['a\tb', ['$ a     b'], [0, 9]],
    ['\t\t', ['$         ', ''], [1, 0]],
    ['\u{d800}', ['$ \u{fffd}'], [0, 3]],
  ];

  it.each(cases)('of %j are %j', (text, rows, cursor) => {
    const layout = layOut(text);
    expect(rowsOf(layout)).toEqual(rows);
    expect(cursorOf(layout)).toEqual(cursor);
  });

  it('hold a prompt of several lines, and one that is wider than the terminal', () => {
    const prompt = [{ text: 'one\ntwo$ ', style: 'p' }];
    expect(rowsOf(layOut('x', { prompt }))).toEqual(['one', 'two$ x']);
    const wide = layOut('x', { prompt: [{ text: 'a prompt too wide$ ', style: 'p' }] });
    expect(rowsOf(wide)).toEqual(['a prompt t', 'oo wide$ x', '']);
    expect(cursorOf(wide)).toEqual([2, 0]);
  });

  it('leave a continuation prompt out where it would take half of the width', () => {
    expect(rowsOf(layOut('a\nb', { width: 3, prompt: [] }))).toEqual(['a', 'b']);
  });

  it('carry styles and the suggestion in its own', () => {
    const spans = [
      { start: 0, end: 2, style: 'command' },
      { start: 3, end: 9, style: 'string' },
    ];
    const { rows } = layOut('ls "some"', { spans, suggestion: 'xy', width: 9, cursor: 9 });
    expect(rows).toEqual([
      [
        { text: '$ ', style: 'prompt' },
        { text: 'ls', style: 'command' },
        { text: ' ', style: '' },
        { text: '"som', style: 'string' },
      ],
      [
        { text: 'e"', style: 'string' },
        { text: 'xy', style: 'suggestion' },
      ],
    ]);
  });

  it.each([1, 2, 3])('of %i columns hold anything', (width) => {
    const layout = layOut('ab日\u{202e}👍\tc\nd', { width, prompt: [] });
    for (const row of rowsOf(layout)) expect(displayWidth(row)).toBeLessThanOrEqual(width);
    expect(layout.cursorColumn).toBeLessThan(width);
  });
});

describe('the window', () => {
  const text = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');

  it('shows the rows around the cursor and says what it leaves out', () => {
    const layout = layOut(text, { maxRows: 5 });
    expect(rowsOf(layout)).toEqual(['> line 25', '> line 26', '> line 27', '> line 28', '> line 29']);
    expect(layout).toMatchObject({ cursorRow: 4, hasMoreAbove: true, hasMoreBelow: false });
    expect(layOut(text, { maxRows: 5, cursor: 0 })).toMatchObject({
      cursorRow: 0,
      hasMoreAbove: false,
      hasMoreBelow: true,
    });
  });

  it('moves only as far as the cursor makes it', () => {
    const lines = new LineLayout();
    const at = (line: number): number => text.indexOf(`line ${line}\n`);
    const show = (line: number): string | undefined =>
      rowsOf(lines.layout(inputOf(text, { maxRows: 5, cursor: at(line) })))[0];
    expect(show(10)).toBe('> line 6');
    expect(show(7)).toBe('> line 6');
    expect(show(5)).toBe('> line 5');
    expect(show(9)).toBe('> line 5');
    expect(show(10)).toBe('> line 6');
  });

  it('fills up from above when the text becomes shorter', () => {
    const lines = new LineLayout();
    lines.layout(inputOf(text, { maxRows: 5 }));
    expect(rowsOf(lines.layout(inputOf('a\nb\nc', { maxRows: 5 })))).toEqual(['$ a', '> b', '> c']);
  });
});

describe('a layout after a change', () => {
  it('is the one that the text has by itself', () => {
    let seed = 3;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const pieces = [
      'a',
      'bc ',
      '\n',
      '日本',
      '👨‍👩‍👧',
      'e\u{301}',
      '\t',
      '\u{1b}',
      '🇩🇪',
      '\u{200d}',
      '\u{301}',
      'x'.repeat(300),
    ];
    const lines = new LineLayout();
    let text = '';
    for (let round = 0; round < 1500; round++) {
      const start = random(text.length + 1);
      const end = Math.min(text.length, start + random(40));
      text = text.slice(0, start) + (pieces[random(pieces.length)] ?? '') + text.slice(end);
      if (text.length > 3000) text = text.slice(0, 500);
      const width = round % 200 === 0 ? 5 + random(60) : 20;
      const input = inputOf(text, { width, cursor: random(text.length + 1), maxRows: 1000 });
      const layout = lines.layout(input);
      expect(layout).toEqual(new LineLayout().layout(input));
      for (const row of rowsOf(layout)) expect(displayWidth(row)).toBeLessThanOrEqual(width);
    }
  });
});

describe('100 KB of text', () => {
  it.each(['plain ascii text ', '日本語のテキスト', 'e\u{301}👨‍👩‍👧'])(
    'of %j are laid out at once for a key',
    (unit) => {
      const text = unit.repeat(Math.ceil(100_000 / unit.length));
      const lines = new LineLayout();
      const input = (cursor: number, insert: string): LayoutInput =>
        inputOf(text.slice(0, cursor) + insert + text.slice(cursor), { width: 80, maxRows: 40, cursor });
      lines.layout(input(text.length, ''));
      const parts = [1, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9];
      const costs = cpuMsOf(() => {
        for (const part of parts) {
          const cursor = Math.floor((text.length * part) / unit.length) * unit.length;
          lines.layout(input(cursor, 'x'));
        }
      });
      expect(costs / parts.length).toBeLessThan(50);
    },
  );
});
