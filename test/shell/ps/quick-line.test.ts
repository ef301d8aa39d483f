import { describe, expect, it } from 'vitest';
import { findColumn, type View } from '../../../shell/ps/columns/index.ts';
import { escapeText } from '../../../shell/escape.ts';
import { joinCells, layOut, type Layout } from '../../../shell/ps/layout.ts';
import type { FormatColumn } from '../../../shell/ps/query.ts';
import { quickLine } from '../../../shell/ps/quick-line.ts';
import { tableRows, type Row } from '../../../shell/ps/row.ts';
import { selfNode } from '../../../src/ids/gpid.ts';
import { rawColumns } from '../../../src/protocol/process.ts';
import { tableOf } from './tables.ts';

const view: View = { numeric: false, withDead: false, commandOnly: false, withEnviron: false, wideSignals: true };

const rows = tableRows({
  node: { id: selfNode, name: 'localhost', labels: [] },
  table: tableOf([
    { pid: 1, comm: 'init', args: ['/sbin/init'] },
    { pid: 4_194_303, comm: 'long', args: ['x'.repeat(300)], utime: 360_000_000 },
    { pid: 22, comm: 'evil', args: ['\x1b[31mred'] },
    { pid: 23, comm: 'wide', args: ['日本'] },
    { pid: 24, comm: 'user', args: ['x'], euser: 'a-name-that-is-far-too-long' },
    { pid: 25, comm: '', args: [''] },
    { pid: 26, comm: 'kthread', args: null },
  ])({ columns: [...rawColumns], select: 'all' }),
});

function format(names: string): FormatColumn[] {
  return names.split(',').flatMap((name) => {
    const column = findColumn(name);
    return column === undefined ? [] : [{ column, header: column.header, width: column.width, fixed: false }];
  });
}

function layout(names: string, screenWidth: number): Layout {
  return layOut(format(names), { screenWidth, colour: false, numeric: false, pidDigits: 5, fit: () => 9 });
}

function fullLine(row: Row, laid: Layout): string {
  return joinCells(
    laid,
    ({ format: { column } }) => escapeText(column.text(row, view)),
    () => undefined,
  );
}

describe('a line made quickly', () => {
  it.each([
    'user,pid,node,ppid,c,stime,tty,time,cmd',
    'args,pid',
    'pid',
    'comm,user',
    'tty,args,rss',
    'time,comm,nlwp',
  ])('reads as one that is laid out: %s', (names) => {
    for (const width of [Number.POSITIVE_INFINITY, 132, 80, 20]) {
      const laid = layout(names, width);
      const quick = quickLine(laid, view);
      for (const row of rows) expect([fullLine(row, laid), undefined]).toContain(quick(row));
    }
  });

  it('is made of plain processes, and of no others', () => {
    const quick = quickLine(layout('user,pid,ppid,time,cmd', Number.POSITIVE_INFINITY), view);
    const made = rows.filter((row) => quick(row) !== undefined).map(({ pid }) => pid);
    expect(made).toEqual([1, 25, 26]);
  });

  it('is not made where columns have widths of their own, or colours', () => {
    const [row] = rows;
    if (row === undefined) throw new Error('there is no row');
    expect(quickLine(layout('pid,pending', 80), view)(row)).toBeUndefined();
    expect(quickLine({ ...layout('pid,node', 80), colour: true }, view)(row)).toBeUndefined();
    expect(quickLine(layout('pid,node', 80), view)(row)).toBeDefined();
  });
});
