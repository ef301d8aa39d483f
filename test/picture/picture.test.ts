import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseScreen } from './sgr.ts';
import { renderSvg } from './svg.ts';

const size = { columns: 20, rows: 5, title: 'a <title>' };
const textOf = (svg: string): string => svg.replaceAll(/<style>.*<\/style>|<[^>]*>/g, '');

describe('a captured screen', () => {
  it('is taken apart into runs at their columns, each with its look', () => {
    const { rows } = parseScreen(
      '\u001b[32mab\u001b[0m c\u001b[1;38;5;196mé\u001b[22;39m\n\u001b[7mx\u001b[27my\n',
      [0, 1],
    );
    expect(rows).toEqual([
      [
        { column: 0, text: 'ab', look: { foreground: 2 } },
        { column: 2, text: ' c', look: {} },
        { column: 4, text: 'é', look: { foreground: '#ff0000', bold: true } },
      ],
      [
        { column: 0, text: 'x', look: { bold: false, dim: false, reverse: true } },
        { column: 1, text: 'y', look: { bold: false, dim: false, reverse: false } },
      ],
    ]);
  });

  it('keeps a look from row to row, as the terminal does', () => {
    const { rows } = parseScreen('\u001b[38;2;1;2;3;101ma\nb\u001b[49m', [0, 0]);
    expect(rows[1]).toEqual([{ column: 0, text: 'b', look: { foreground: '#010203', background: 9 } }]);
  });
});

describe('the picture', () => {
  it('holds the text itself, escaped, and nothing below the last row', () => {
    const svg = renderSvg(parseScreen('a <b> & c\n\n  two   words\n\n\n', [0, 0]), size);
    expect(textOf(svg)).toContain('a &lt;b&gt; &amp; c');
    expect(svg).toContain('<title>a &lt;title&gt;</title>');
    expect(svg.match(/<text y=/g)).toHaveLength(2);
    expect(svg).not.toMatch(/<script|href|url\(/);
  });

  it('in the README is of a session that goes across nodes, and names no directory or host of whoever made it', () => {
    const svg = readFileSync(join(import.meta.dirname, '../../.github/session.svg'), 'utf8');
    const text = textOf(svg);
    expect(text).toMatch(/localhost *~ *3\/3/);
    for (const part of ['# nodes', '@n2', '@n3', 'detached from 3', 'ps', '3 nodes up']) expect(text).toContain(part);
    expect(text).not.toMatch(/\/tmp\/|\/root|\/home/);
    expect(svg.length).toBeLessThan(30_000);
  });
});
