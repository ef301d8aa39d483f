/** SGR of a cell: colours and looks, as codes that set them from nothing. */
import type { Emulator } from './emulator.ts';

export type Line = NonNullable<ReturnType<Emulator['buffer']['active']['getLine']>>;
export type Cell = NonNullable<ReturnType<Line['getCell']>>;

/** What cells have in common with the core's own "what is written next". */
export type Attributes = Pick<
  Cell,
  | 'isBold'
  | 'isDim'
  | 'isItalic'
  | 'isUnderline'
  | 'isBlink'
  | 'isInverse'
  | 'isInvisible'
  | 'isStrikethrough'
  | 'isOverline'
  | 'isFgRGB'
  | 'isFgPalette'
  | 'getFgColor'
  | 'getFgColorMode'
  | 'isBgRGB'
  | 'isBgPalette'
  | 'getBgColor'
  | 'getBgColorMode'
>;

export function attributes(cell: Attributes): string {
  const codes: (number | string)[] = [0];
  const flags: readonly [boolean | number, number][] = [
    [cell.isBold(), 1],
    [cell.isDim(), 2],
    [cell.isItalic(), 3],
    [cell.isUnderline(), 4],
    [cell.isBlink(), 5],
    [cell.isInverse(), 7],
    [cell.isInvisible(), 8],
    [cell.isStrikethrough(), 9],
    [cell.isOverline(), 53],
  ];
  for (const [isSet, code] of flags) if (isSet) codes.push(code);
  if (cell.isFgRGB()) codes.push(`38;2;${rgb(cell.getFgColor())}`);
  else if (cell.isFgPalette()) codes.push(palette(cell.getFgColorMode(), cell.getFgColor(), 30));
  if (cell.isBgRGB()) codes.push(`48;2;${rgb(cell.getBgColor())}`);
  else if (cell.isBgPalette()) codes.push(palette(cell.getBgColorMode(), cell.getBgColor(), 40));
  return `\x1b[${codes.join(';')}m`;
}

/** xterm's mode of the sixteen colours that have codes of their own, which some terminals brighten with bold. */
const sixteenColours = 0x1000000;

/** @param base 30 for the foreground, 40 for the background. */
function palette(mode: number, color: number, base: 30 | 40): string {
  if (mode !== sixteenColours) return `${base + 8};5;${color}`;
  return String(color < 8 ? base + color : base + 60 + color - 8);
}

function rgb(color: number): string {
  return `${(color >> 16) & 255};${(color >> 8) & 255};${color & 255}`;
}

/** SGR of what is written next, which the core keeps in a cell-like object. */
export function currentAttributes(emulator: Emulator): string {
  const core = (emulator as unknown as { _core?: { _inputHandler?: { _curAttrData?: Attributes } } })._core;
  const current = core?._inputHandler?._curAttrData;
  return current === undefined ? plain : attributes(current);
}

export const plain = '\x1b[0m';
