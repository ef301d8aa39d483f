import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../shell/escape.ts';
import { renderTable, type TableColumn } from '../../shell/table.ts';

interface Thing {
  readonly name: string;
  readonly count: number;
  readonly note: string;
}
const columns: readonly TableColumn<Thing>[] = [
  { header: 'NAME', text: ({ name }) => name, style: () => 'dim' },
  { header: 'COUNT', align: 'right', text: ({ count }) => String(count) },
  { header: 'NOTE', text: ({ note }) => note, style: ({ count }) => (count > 9 ? 'red' : undefined) },
];
const things: readonly Thing[] = [
  { name: 'web1', count: 5, note: 'well' },
  { name: '日本', count: 12345678, note: '' },
  { name: 'x', count: 10, note: 'a long\nstory\x1b[1m' },
];

describe('a table', () => {
  it('is as wide as its widest cells, with nothing behind the last', () => {
    expect(renderTable(things, columns, { colour: false })).toBe(
      ['NAME     COUNT  NOTE', 'web1         5  well', '日本  12345678', 'x           10  a long?story?[1m', ''].join(
        '\n',
      ),
    );
  });

  it('ends at the edge of the terminal', () => {
    const lines = renderTable(things, columns, { colour: false, width: 18 }).split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'NAME     COUNT  NO',
      'web1         5  we',
      '日本  12345678',
      'x           10  a ',
    ]);
  });

  it('is never wider than the terminal, and shows a number whole or not at all', () => {
    const numbers: readonly TableColumn<Thing>[] = [
      { header: 'NAME', text: ({ name }) => name },
      { header: 'COUNT', align: 'right', text: ({ count }) => String(count) },
      { header: 'FREE', align: 'right', text: () => '22.7G' },
      { header: 'NOTE', text: ({ note }) => note },
    ];
    for (let width = 1; width < 40; width++) {
      const lines = renderTable(things, numbers, { colour: false, width }).split('\n').slice(0, -1);
      expect(lines).toHaveLength(4);
      for (const line of lines) expect(displayWidth(line), `${width}: ${line}`).toBeLessThanOrEqual(width);
      expect(lines[0]?.includes('COUNT')).toBe(width >= 14);
      expect(lines[2]?.includes('12345678')).toBe(width >= 14);
      expect(lines[1]?.includes('22.7G')).toBe(width >= 21);
      expect(lines[1]).not.toMatch(/ 2$| 22$| 22\.$| 22\.7$/);
    }
    expect(renderTable(things, numbers, { colour: false, width: 20 }).split('\n').slice(0, 4)).toEqual([
      'NAME     COUNT',
      'web1         5',
      '日本  12345678',
      'x           10',
    ]);
  });

  it('has colour only where asked, and no heading where not', () => {
    expect(renderTable(things.slice(0, 1), columns, { colour: true, heading: false })).toBe(
      '\x1b[2mweb1\x1b[22m  5  well\n',
    );
    expect(renderTable([], columns, { colour: true })).toBe('NAME  COUNT  NOTE\n');
  });
});
