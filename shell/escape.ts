/**
 * Text that came from a node, made safe for a terminal: a process may be called anything, escape sequences included. What cannot be
 * printed becomes `?`, as procps shows it: C0 and C1 controls, DEL, bytes that were no UTF-8 (U+FFFD), direction overrides, invisible
 * format characters and line separators. Also how many cells of a terminal a text takes.
 */

const plain = /^[\x20-\x7e]*$/;
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|[\u{e0000}-\u{e0fff}]/gu;
/** Without the u flag a lone surrogate is found whatever stands beside it. */
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Printable ASCII alone: a character is a cell, and nothing has to be escaped. */
export function isPlain(text: string): boolean {
  return plain.test(text);
}

/** One line that a terminal shows as it is. */
export function escapeText(text: string): string {
  if (plain.test(text)) return text;
  return text.replace(loneSurrogate, '?').replace(unsafe, '?');
}

/** The same for messages of several lines: line feeds and tabs stay. */
export function escapeLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escapeText).join('\t'))
    .join('\n');
}

/** JSON in which nothing can act on a terminal; the data stays the same. */
export function escapeJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (found) => {
      return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
    },
  );
}

/** Cells that an escaped text takes: 2 for wide characters, 0 for combining marks. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += characterWidth(character);
  return cells;
}

/** As much of the beginning as fits. */
export function cutToWidth(text: string, cells: number): string {
  if (text.length <= cells && plain.test(text)) return text;
  if (plain.test(text)) return text.slice(0, Math.max(0, cells));
  let room = cells;
  let end = 0;
  for (const character of text) {
    room -= characterWidth(character);
    if (room < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** East Asian Wide and Fullwidth (UAX #11), as first and last code points. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];
/** Marks, vowels of Hangul syllables, joiners. */
const combining = /^(?:[\p{Mn}\p{Me}\u1160-\u11ff\u200c]|\u200d)$/u;
const emoji = /^\p{Emoji_Presentation}$/u;

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (combining.test(character)) return 0;
  if (code < 0x1100) return 1;
  return wideRanges.some(([first, last]) => code >= first && code <= last) || emoji.test(character) ? 2 : 1;
}
