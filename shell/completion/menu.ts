/**
 * The completion menu: which item is chosen, and what is seen of it in a given width and height. Pure; whoever draws it adds colours.
 * With descriptions it is one column, else as many as fit, filled downwards as `ls` does.
 */
import { cutToWidth, displayWidth } from '../escape.ts';
import type { CompletionItem } from './types.ts';

export interface Menu {
  readonly items: readonly CompletionItem[];
  /** -1: none is chosen. */
  readonly selected: number;
  /** First row that is seen. */
  readonly top: number;
}

export interface MenuSize {
  readonly columns: number;
  readonly rows: number;
}

export interface MenuCell {
  /** Index of the item. */
  readonly index: number;
  /** Padded to the width of its column. */
  readonly text: string;
  readonly description?: string;
  readonly isSelected: boolean;
}

export interface MenuView {
  readonly rows: readonly (readonly MenuCell[])[];
  /** Rows above and below what is seen. */
  readonly above: number;
  readonly below: number;
}

export type MenuMove =
  | 'next'
  | 'previous'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageUp'
  | 'pageDown'
  | 'first'
  | 'last';

const gap = 2;
const maxNameShare = 0.6;

export function openMenu(items: readonly CompletionItem[]): Menu {
  return { items, selected: -1, top: 0 };
}

/** More has come: the choice stays with its item. */
export function updateMenu(menu: Menu, items: readonly CompletionItem[]): Menu {
  const chosen = menu.items[menu.selected];
  const selected = chosen === undefined ? -1 : items.findIndex(({ insert }) => insert === chosen.insert);
  return { ...menu, items, selected };
}

interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly nameWidth: number;
  readonly isDescribed: boolean;
}

function gridOf(items: readonly CompletionItem[], width: number): Grid {
  const widest = Math.max(1, ...items.map(({ display }) => displayWidth(display)));
  const isDescribed = items.some(({ description }) => description !== undefined && description !== '');
  if (isDescribed) {
    const most = Math.max(1, Math.floor(width * maxNameShare));
    return { columns: 1, rows: items.length, nameWidth: Math.min(widest, most), isDescribed };
  }
  const nameWidth = Math.min(widest, Math.max(1, width));
  const most = Math.max(1, Math.floor((width + gap) / (nameWidth + gap)));
  const rows = Math.ceil(items.length / most);
  return { columns: Math.ceil(items.length / Math.max(1, rows)), rows, nameWidth, isDescribed };
}

export function moveMenu(menu: Menu, move: MenuMove, size: MenuSize): Menu {
  const count = menu.items.length;
  if (count === 0) return menu;
  const grid = gridOf(menu.items, size.columns);
  const page = Math.max(1, size.rows - 1);
  const at = menu.selected;
  const selected = at === -1 ? (isBackward(move) ? count - 1 : 0) : moved(at, move, count, grid.rows, page);
  return showSelected({ ...menu, selected }, grid, size.rows);
}

function isBackward(move: MenuMove): boolean {
  return move === 'previous' || move === 'up' || move === 'last';
}

function moved(at: number, move: MenuMove, count: number, rows: number, page: number): number {
  const wrap = (index: number): number => (index + count) % count;
  switch (move) {
    case 'next':
    case 'down':
      return wrap(at + 1);
    case 'previous':
    case 'up':
      return wrap(at - 1);
    case 'right':
      return at + rows < count ? at + rows : at % rows;
    case 'left': {
      const inLast = at + rows * Math.floor((count - 1 - at) / rows);
      return at >= rows ? at - rows : inLast;
    }
    case 'pageDown':
      return Math.min(count - 1, at + page);
    case 'pageUp':
      return Math.max(0, at - page);
    case 'first':
      return 0;
    default:
      return count - 1;
  }
}

function showSelected(menu: Menu, { rows }: Grid, height: number): Menu {
  const row = rows === 0 ? 0 : Math.max(0, menu.selected) % rows;
  const least = Math.max(0, row - Math.max(1, height) + 1);
  const most = Math.max(0, rows - Math.max(1, height));
  return { ...menu, top: Math.min(Math.max(menu.top, least), row, most) };
}

/** What is seen of it; never wider nor higher than `size`. */
export function viewMenu(menu: Menu, size: MenuSize): MenuView {
  const { items } = menu;
  const grid = gridOf(items, size.columns);
  const { top } = showSelected(menu, grid, size.rows);
  const height = Math.max(0, Math.min(size.rows, grid.rows - top));
  const rows = Array.from({ length: height }, (_, line) => {
    const cells: MenuCell[] = [];
    for (let column = 0; column < grid.columns; column++) {
      const index = column * grid.rows + top + line;
      const item = items[index];
      if (item !== undefined) cells.push(cell(item, index, menu.selected, grid, size.columns));
    }
    return cells;
  });
  return { rows, above: top, below: Math.max(0, grid.rows - top - height) };
}

function cell(item: CompletionItem, index: number, selected: number, grid: Grid, width: number): MenuCell {
  const { display, description } = item;
  const name = displayWidth(display) <= grid.nameWidth ? display : `${cutToWidth(display, grid.nameWidth - 1)}…`;
  const text = name + ' '.repeat(Math.max(0, grid.nameWidth - displayWidth(name)));
  const isSelected = index === selected;
  if (!grid.isDescribed || description === undefined || description === '') return { index, text, isSelected };
  const room = width - grid.nameWidth - gap;
  if (room < 1) return { index, text, isSelected };
  const shown = displayWidth(description) <= room ? description : `${cutToWidth(description, room - 1)}…`;
  return { index, text, isSelected, description: shown };
}
