/**
 * A terminal's state as bytes that bring another terminal of the same size into it: scrollback and both screens, then modes, regions,
 * character sets and looks. Order matters: setting a scroll region or origin mode moves the cursor, so the cursor comes late.
 */
import { attributes, currentAttributes, plain } from './attributes.ts';
import { readHiddenState, type Emulator, type HiddenState } from './emulator.ts';
import { paintLines } from './paint.ts';

/** Whatever was there: soft reset (and by name what some terminals leave out of it), ASCII in G0, no colour, an empty screen. */
const fresh = '\x1b[!p\x1b[r\x1b[4l\x1b[?6l\x1b[?7h\x1b[?25h\x1b(B\x0f\x1b[0m\x1b[H\x1b[2J';

/** @param scrollback lines above the screen to give along. */
export function restoreSequence(emulator: Emulator, scrollback: number, title: string): string {
  const state = readHiddenState(emulator);
  return [
    fresh,
    restoreNormal(emulator, scrollback),
    restoreAlternate(emulator),
    restoreTabs(state, emulator.cols),
    restoreSavedCursor(emulator, state),
    restoreRegion(state, emulator.rows),
    restoreModes(emulator),
    mouseEncodings[state.mouseEncoding] ?? '',
    restoreCursor(emulator, state),
    emulator.modes.insertMode ? '\x1b[4h' : '',
    emulator.modes.wraparoundMode ? '' : '\x1b[?7l',
    currentAttributes(emulator),
    restoreCharsets(state),
    restoreCursorLook(state),
    title === '' ? '' : `\x1b]2;${printable(title)}\x07`,
  ].join('');
}

function restoreNormal({ buffer: { normal }, cols, rows }: Emulator, scrollback: number): string {
  const first = Math.max(0, normal.baseY - scrollback);
  const cursor = moveTo(normal.cursorY, Math.min(normal.cursorX, cols - 1));
  return paintLines(normal, first, normal.baseY + rows - 1, cols) + cursor;
}

/** Going there saves the normal screen's cursor, as it did at the time. */
function restoreAlternate({ buffer: { active }, cols, rows }: Emulator): string {
  return active.type === 'alternate' ? `\x1b[?1049h\x1b[H${paintLines(active, 0, rows - 1, cols)}` : '';
}

function restoreTabs({ tabStops }: HiddenState, cols: number): string {
  const usual = Array.from({ length: Math.ceil(cols / 8) }, (_, index) => index * 8);
  if (tabStops.length === 0 || tabStops.join() === usual.join()) return '';
  return `\x1b[3g${tabStops.map((column) => `\x1b[${column + 1}G\x1bH`).join('')}`;
}

function restoreSavedCursor(emulator: Emulator, { savedColumn, savedRow }: HiddenState): string {
  if (savedColumn === 0 && savedRow === 0) return '';
  return `${placeCursor(emulator, savedRow, savedColumn, savedRow)}\x1b7`;
}

function restoreRegion({ scrollTop, scrollBottom }: HiddenState, rows: number): string {
  return scrollTop === 0 && scrollBottom === rows - 1 ? '' : `\x1b[${scrollTop + 1};${scrollBottom + 1}r`;
}

const mouseTracking = {
  none: '',
  x10: '\x1b[?9h',
  vt200: '\x1b[?1000h',
  drag: '\x1b[?1002h',
  any: '\x1b[?1003h',
} as const;
const mouseEncodings: Readonly<Record<string, string>> = { SGR: '\x1b[?1006h', SGR_PIXELS: '\x1b[?1016h' };

/** Insert mode and no wraparound come later: they would get in the way of the cursor. */
function restoreModes({ modes }: Emulator): string {
  return [
    modes.applicationCursorKeysMode ? '\x1b[?1h' : '',
    modes.applicationKeypadMode ? '\x1b=' : '',
    modes.bracketedPasteMode ? '\x1b[?2004h' : '',
    modes.originMode ? '\x1b[?6h' : '',
    modes.reverseWraparoundMode ? '\x1b[?45h' : '',
    modes.sendFocusMode ? '\x1b[?1004h' : '',
    mouseTracking[modes.mouseTrackingMode],
  ].join('');
}

function restoreCursor(emulator: Emulator, { scrollTop }: HiddenState): string {
  const { cursorX, cursorY } = emulator.buffer.active;
  return placeCursor(emulator, cursorY, cursorX, emulator.modes.originMode ? cursorY - scrollTop : cursorY);
}

/**
 * A cursor that waits behind the last column (the next character wraps) gets there only by writing that column again.
 * @param addressed the row as the terminal counts it: from the scroll region's top in origin mode.
 */
function placeCursor(emulator: Emulator, row: number, column: number, addressed: number): string {
  if (column < emulator.cols) return moveTo(addressed, column);
  const { active } = emulator.buffer;
  const line = active.getLine(active.baseY + row);
  const last = line?.getCell(emulator.cols - 1);
  // The second half of a wide character: its first half is written, one column before.
  const isHalf = last?.getWidth() === 0;
  const from = emulator.cols - (isHalf ? 2 : 1);
  const cell = isHalf ? line?.getCell(from) : last;
  if (cell === undefined) return moveTo(addressed, emulator.cols - 1);
  return `${moveTo(addressed, from)}${attributes(cell)}${cell.getChars() || ' '}${plain}`;
}

function restoreCharsets({ charsets, charsetLevel }: HiddenState): string {
  const designated = charsets.map((name, index) => (name === 'B' ? '' : `\x1b${'()*+'[index]}${name}`)).join('');
  const shifts = ['', '\x0e', '\x1bn', '\x1bo'];
  return designated + (shifts[charsetLevel] ?? '');
}

const cursorCodes = { block: 1, underline: 3, bar: 5 } as const;

function restoreCursorLook({ isCursorHidden, cursorStyle, cursorBlink }: HiddenState): string {
  const style = cursorStyle === undefined ? '' : `\x1b[${cursorCodes[cursorStyle] + (cursorBlink ? 0 : 1)} q`;
  return style + (isCursorHidden ? '\x1b[?25l' : '');
}

function moveTo(row: number, column: number): string {
  return `\x1b[${row + 1};${column + 1}H`;
}

/** A title is a program's text: it must not end the sequence that sets it. */
function printable(title: string): string {
  return title.replace(/[\x00-\x1f\x7f-\x9f]/g, '');
}
