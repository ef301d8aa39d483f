import { describe, expect, it } from 'vitest';
import {
  moveMenu,
  openMenu,
  updateMenu,
  viewMenu,
  type CompletionItem,
  type Menu,
  type MenuMove,
  type MenuSize,
} from '../../shell/completion/index.ts';
import { displayWidth } from '../../shell/escape.ts';

const item = (display: string, description?: string): CompletionItem => ({
  insert: display,
  append: ' ',
  display,
  ...(description === undefined ? {} : { description }),
});
const plain = (count: number): CompletionItem[] => Array.from({ length: count }, (_, i) => item(`name${i}`));

function drawn(menu: Menu, size: MenuSize): string[] {
  return viewMenu(menu, size).rows.map((cells) =>
    cells
      .map(
        ({ text, description, isSelected }) =>
          (isSelected ? `[${text}]` : text) + (description === undefined ? '' : `  ${description}`),
      )
      .join('  ')
      .trimEnd(),
  );
}

function walk(menu: Menu, moves: readonly MenuMove[], size: MenuSize): string | undefined {
  const end = moves.reduce((each, move) => moveMenu(each, move, size), menu);
  return end.items[end.selected]?.display;
}

describe('the menu', () => {
  it('has as many columns as fit, filled downwards', () => {
    expect(drawn(openMenu(plain(7)), { columns: 18, rows: 10 })).toEqual([
      'name0  name4',
      'name1  name5',
      'name2  name6',
      'name3',
    ]);
    expect(drawn(openMenu(plain(7)), { columns: 19, rows: 10 })).toEqual([
      'name0  name3  name6',
      'name1  name4',
      'name2  name5',
    ]);
  });

  it('has one column where descriptions are shown, cut to the width', () => {
    const menu = openMenu([item('--detach', 'leave it running and go'), item('-d'), item('--日本', 'wide')]);
    expect(drawn(menu, { columns: 24, rows: 10 })).toEqual(['--detach  leave it runn…', '-d', '--日本    wide']);
  });

  it('never is wider or higher than it may be, and shows what is chosen', () => {
    const wide = [item('日本語のとても長い名前'), item('x'), ...plain(50), item('y', 'and a description that is long')];
    for (const items of [wide, plain(57), plain(1), []]) {
      for (const columns of [1, 2, 5, 10, 17, 40, 100]) {
        for (const rows of [1, 2, 7, 100]) {
          let menu = openMenu(items);
          for (let step = 0; step < items.length + 2; step++) {
            const view = viewMenu(menu, { columns, rows });
            expect(view.rows.length).toBeLessThanOrEqual(rows);
            const tooWide = drawn({ ...menu, selected: -1 }, { columns, rows }).filter(
              (row) => displayWidth(row) > columns,
            );
            expect(tooWide).toEqual([]);
            const seen = view.rows.flat().some(({ isSelected }) => isSelected);
            expect(seen).toBe(menu.selected >= 0);
            menu = moveMenu(menu, 'next', { columns, rows });
          }
        }
      }
    }
  });

  it('is walked by keys', () => {
    const size = { columns: 18, rows: 3 };
    const menu = openMenu(plain(7)); // name0…name3 | name4…name6
    expect(walk(menu, ['next'], size)).toBe('name0');
    expect(walk(menu, ['previous'], size)).toBe('name6');
    expect(walk(menu, ['next', 'next', 'right'], size)).toBe('name5');
    expect(walk(menu, ['next', 'right', 'right'], size)).toBe('name0');
    expect(walk(menu, ['next', 'left'], size)).toBe('name4');
    expect(walk(menu, ['next', 'up'], size)).toBe('name6');
    expect(walk(menu, ['next', 'pageDown', 'pageDown'], size)).toBe('name4');
    expect(walk(menu, ['next', 'last', 'next'], size)).toBe('name0');
    expect(walk(openMenu([]), ['next'], size)).toBeUndefined();
  });

  it('scrolls no further than it must', () => {
    const size = { columns: 8, rows: 3 };
    let menu = openMenu(plain(6));
    for (let i = 0; i < 4; i++) menu = moveMenu(menu, 'next', size);
    expect(drawn(menu, size)).toEqual(['name1', 'name2', '[name3]']);
    expect(viewMenu(menu, size)).toMatchObject({ above: 1, below: 2 });
    menu = moveMenu(menu, 'up', size);
    expect(drawn(menu, size)).toEqual(['name1', '[name2]', 'name3']);
  });

  it('keeps the choice where more comes', () => {
    const menu = moveMenu(openMenu([item('b'), item('c')]), 'next', { columns: 10, rows: 5 });
    expect(updateMenu(menu, [item('a'), item('b'), item('c')])).toMatchObject({ selected: 1 });
    expect(updateMenu(menu, [item('a')])).toMatchObject({ selected: -1 });
  });
});
