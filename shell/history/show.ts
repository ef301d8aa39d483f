/** A line of the history on a terminal: in one row, and nothing in it acts on the terminal. */
import { cutToWidth, displayWidth, escapeText } from '../escape.ts';

/** Line feeds become `⏎`, tabs blanks, C0 controls `^X`, and what else cannot be shown `?`. */
export function showLine(line: string, columns = Number.POSITIVE_INFINITY): string {
  const shown = escapeText(
    line
      .replaceAll('\n', '⏎')
      .replaceAll('\t', ' ')
      .replace(/[\u0000-\u001f\u007f]/g, caret),
  );
  return displayWidth(shown) <= columns ? shown : `${cutToWidth(shown, Math.max(0, columns - 1))}…`;
}

function caret(character: string): string {
  return `^${String.fromCharCode(character.charCodeAt(0) ^ 0x40)}`;
}
