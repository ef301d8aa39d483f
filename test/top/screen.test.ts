/** What `nsh top` draws: never wider or taller than the terminal, and nothing of a node that could act on it. */
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../shell/escape.ts';
import { nodeLines } from '../../shell/top/bars.ts';
import { dress, undressed } from '../../shell/top/dress.ts';
import { cell, formatKb, formatPercent, formatTicks } from '../../shell/top/format.ts';
import { drawScreen, pageHeight } from '../../shell/top/screen.ts';
import { newState, pressKey, type TopState } from '../../shell/top/state.ts';
import { downNode, node, task, upNode } from './tasks.ts';

const flat = { sort: 'cpu', reversed: false, filter: '', tree: false } as const;
const many = Array.from({ length: 10_000 }, (_, i) =>
  task(10_000_001 + i, { cpu: i % 100, command: `worker ${i} ${'x'.repeat(i % 300)}` }),
);
const sgr = /\u001b\[[\d;]*m/g;

describe('the screen', () => {
  const hostile = [
    task(10_000_001, {
      command: '\u001b]0;title\u0007\u001b[2J日本語のとても長い名前\u202e',
      user: '\u001b[31m',
      state: '\u0007',
    }),
    ...many.slice(0, 100),
  ];
  const nodes = [downNode(3, 'n3: \u001b[2Jrefused'), upNode(1, hostile), upNode(2, []), { node: node(4), tasks: [] }];

  it.each([
    [80, 24],
    [200, 50],
    [20, 8],
    [9, 5],
    [1, 2],
  ])('fits a terminal of %i columns and %i rows with a row to spare', (columns, rows) => {
    let state: TopState = newState(nodes, flat, 3000);
    for (const keys of [[], ['t'], ['/', '日'], ['escape', 'k'], ['escape', 'h']]) {
      for (const key of keys) ({ state } = pressKey(state, key, 5));
      const { lines, cursor } = drawScreen(state, { columns, rows }, dress(true), '08:00:00', 'lab');
      expect(lines.length).toBeLessThan(rows);
      for (const line of lines) {
        const text = line.replace(sgr, '');
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
        expect(displayWidth(text)).toBeLessThanOrEqual(columns);
      }
      expect(cursor === undefined || (cursor.x < columns && cursor.y < lines.length)).toBe(true);
    }
  });

  it('draws the window only: 10,000 processes cost no more than what is seen', () => {
    let { state } = pressKey(newState([upNode(1, many)], flat, 3000), 'G', 30);
    const size = { columns: 120, rows: 40 };
    state = { ...state, from: 0 };
    const { lines } = drawScreen(state, size, undressed, '08:00:00', 'lab');
    expect(lines).toHaveLength(39);
    expect(lines.at(-2)).toContain(String(state.rows.at(-1)?.task.gpid));
    expect(pageHeight(state, size, undressed)).toBe(35);
  });

  it('marks what nsh runs, and says what is sorted and filtered', () => {
    const state = newState(
      [upNode(1, [task(10_000_001, { managed: true, command: 'train' })])],
      { ...flat, filter: 'tr', sort: 'mem' },
      3000,
    );
    const { lines } = drawScreen(state, { columns: 100, rows: 10 }, undressed, '08:00:00', 'lab');
    expect(lines[0]).toBe("nsh top - 08:00:00 lab: 1 node, 1 process, 0 running, 1 by nsh; by memory, 'tr': 1");
    expect(lines.some((line) => line.includes(' * train'))).toBe(true);
  });

  it('uses no colour where none is wanted', () => {
    const { lines } = drawScreen(
      newState(nodes, flat, 3000),
      { columns: 80, rows: 24 },
      dress(false),
      '08:00:00',
      'lab',
    );
    expect(
      lines
        .join('')
        .match(sgr)
        ?.every((code) => /\[(?:1|22|7|27)m/.test(code)),
    ).toBe(true);
  });
});

describe('the nodes', () => {
  it('have a bar for load and one for memory, and one that is down its reason', () => {
    const nodes = [upNode(1, [], { load1: 2 }), downNode(2, 'connection refused')];
    expect(nodeLines(nodes, 40, 5, undressed)).toEqual([
      'n2   down: connection refused',
      'n1   [|||||||| 2.00/4] [||||  2.0G/8.0G]',
    ]);
  });

  it('stand side by side in a wide window', () => {
    const nodes = [1, 2, 3].map((id) => upNode(id, []));
    expect(nodeLines(nodes, 120, 5, undressed)).toHaveLength(1);
    expect(nodeLines(nodes, 60, 5, undressed)).toHaveLength(3);
  });

  it('give way to the processes where there are many: the least loaded first, those down last', () => {
    const nodes = [...Array.from({ length: 40 }, (_, i) => upNode(i + 1, [], { load1: i })), downNode(50, 'gone')];
    const lines = nodeLines(nodes, 40, 4, undressed);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['n50', 'n40', 'n39', '…']);
    expect(lines.at(-1)).toBe('… and 38 more nodes');
  });
});

describe('numbers', () => {
  it.each([
    [0, '0K'],
    [999, '999K'],
    [1024, '1.0M'],
    [102_400, '100M'],
    [1_572_864, '1.5G'],
    [5_000_000_000, '4.7T'],
  ])('%i KiB are %s', (kb, text) => expect(formatKb(kb)).toBe(text));

  it.each([
    [0, '0:00.00'],
    [6123, '1:01.23'],
    [6_000_000, '1000:00'],
    [720_000_000, '2000h'],
  ])('%i ticks are %s', (ticks, text) => expect(formatTicks(ticks)).toBe(text));

  it.each([
    [0, '0.0'],
    [99.94, '99.9'],
    [100, '100'],
  ])('%d percent are %s', (percent, text) => expect(formatPercent(percent)).toBe(text));

  it('fill cells of a fixed width, wide characters counted as two', () => {
    expect(cell('日本語', 5)).toBe('日本+');
    expect(cell('ab', 4, 'right')).toBe('  ab');
    expect(displayWidth(cell('日本語', 4))).toBe(4);
  });
});
