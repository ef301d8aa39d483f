/**
 * A painted screen as SVG: real text, so that it can be selected and stays sharp; each run at its own column, so that it stays in line with
 * whatever monospaced font there is. Pure.
 */
import { displayWidth } from '../../shell/escape.ts';
import type { Look, PaintedScreen, Run } from './sgr.ts';

export interface SvgOptions {
  readonly columns: number;
  readonly rows: number;
  readonly title: string;
}

const cell = { width: 8.43, height: 18 };
const fontSize = 14;
const margin = 18;
const barHeight = 34;

const theme = {
  background: '#11151c',
  bar: '#1b212b',
  edge: '#2b3340',
  text: '#d5dbe5',
  faint: '#7d8898',
  cursor: '#d5dbe5',
};
/** The 16 colours, as dark themes have them. */
const palette = `
  #1b212b #f07178 #a5d46a #f2c063 #6cb0f5 #d59cf2 #5fd0d6 #c8d0dc
  #6b7687 #ff8b92 #bde78a #ffd580 #8ec5ff #e3b7fb #80e3e8 #ffffff`
  .trim()
  .split(/\s+/);

export function renderSvg(screen: PaintedScreen, { columns, rows, title }: SvgOptions): string {
  const used = Math.max(screen.cursor[1] + 1, lastRow(screen) + 1);
  const shown = Math.min(rows, used);
  const width = Math.round(columns * cell.width + 2 * margin);
  const height = Math.round(shown * cell.height + 2 * margin - 8 + barHeight);
  const body = screen.rows.slice(0, shown).flatMap((runs, y) => renderRow(runs, y, screen.cursor));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>text{font:${fontSize}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:${theme.text};white-space:pre}</style>`,
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="9" fill="${theme.background}" stroke="${theme.edge}"/>`,
    `<path d="M.5 ${barHeight}V9.5a9 9 0 0 1 9-9h${width - 19}a9 9 0 0 1 9 9v${barHeight - 9.5}z" fill="${theme.bar}" stroke="${theme.edge}"/>`,
    ...['#f07178', '#f2c063', '#a5d46a'].map(
      (fill, i) => `<circle cx="${20 + i * 18}" cy="17" r="5.5" fill="${fill}"/>`,
    ),
    `<text x="${width / 2}" y="22" text-anchor="middle" style="fill:${theme.faint};font-size:13px">${escapeXml(title)}</text>`,
    ...body,
    '</svg>',
  ].join('\n')}\n`;
}

function lastRow({ rows }: PaintedScreen): number {
  return rows.findLastIndex((runs) => runs.some(({ text, look }) => text.trim() !== '' || look.reverse === true));
}

function renderRow(runs: readonly Run[], y: number, cursor: readonly [number, number]): string[] {
  const top = barHeight + margin - 6 + y * cell.height;
  const blocks = runs.flatMap(({ column, text, look }) => {
    const fill = colours(look).background;
    return fill === undefined ? [] : [block(column, displayWidth(text), top, fill)];
  });
  if (cursor[1] === y) blocks.push(block(cursor[0], 1, top, theme.cursor));
  if (runs.every(({ text }) => text.trim() === '')) return blocks;
  const spans = withoutEnd(runs).flatMap(splitAtGaps);
  const texts = spans.map(({ column, text, look }) => {
    const { foreground } = colours(look);
    const isUnderCursor = cursor[1] === y && column === cursor[0];
    const attributes = [
      `x="${place(column)}"`,
      `textLength="${round(displayWidth(text) * cell.width)}"`,
      ...(isUnderCursor
        ? [`fill="${theme.background}"`]
        : foreground === undefined
          ? []
          : [`style="fill:${foreground}"`]),
      ...(look.bold === true ? ['font-weight="bold"'] : []),
      ...(look.italic === true ? ['font-style="italic"'] : []),
      ...(look.underline === true ? ['text-decoration="underline"'] : []),
    ];
    return `<tspan ${attributes.join(' ')}>${escapeXml(text)}</tspan>`;
  });
  return [...blocks, `<text y="${round(top + 13.5)}" xml:space="preserve">${texts.join('')}</text>`];
}

/** Blanks at the end of a row are nobody's. */
function withoutEnd(runs: readonly Run[]): Run[] {
  const last = runs.findLastIndex(({ text }) => text.trim() !== '');
  return runs.slice(0, last + 1).map((run, i) => (i === last ? { ...run, text: run.text.trimEnd() } : run));
}

/** Words that stand apart get columns of their own: a table stays one in every font. The blanks are kept for whoever copies the text. */
function splitAtGaps({ column, text, look }: Run): Run[] {
  const parts: Run[] = [];
  for (const found of text.matchAll(/^\s+|\S+(?: \S+)*\s*/g)) {
    parts.push({ column: column + displayWidth(text.slice(0, found.index)), text: found[0], look });
  }
  return parts;
}

function colours(look: Look): { readonly foreground: string | undefined; readonly background: string | undefined } {
  const foreground = look.dim === true && look.foreground === undefined ? theme.faint : colour(look.foreground);
  const background = colour(look.background);
  if (look.reverse !== true) return { foreground, background };
  return { foreground: background ?? theme.background, background: foreground ?? theme.text };
}

function colour(value: string | number | undefined): string | undefined {
  return typeof value === 'number' ? palette[value] : value;
}

function block(column: number, cells: number, top: number, fill: string): string {
  return `<rect x="${place(column)}" y="${top}" width="${round(cells * cell.width)}" height="${cell.height}" fill="${fill}"/>`;
}

function place(column: number): number {
  return round(margin + column * cell.width);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
