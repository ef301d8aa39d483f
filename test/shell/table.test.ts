import { describe, expect, it } from 'vitest';
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

  it('has colour only where asked, and no heading where not', () => {
    expect(renderTable(things.slice(0, 1), columns, { colour: true, heading: false })).toBe(
      '\x1b[2mweb1\x1b[22m  5  well\n',
    );
    expect(renderTable([], columns, { colour: true })).toBe('NAME  COUNT  NOTE\n');
  });
});
