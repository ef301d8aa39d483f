/** What no node of the tree covers is keywords, operators and comments: told apart by their text, for unfinished input has no nodes' ends. */
import type { Paint } from './paint.ts';

const keywords: ReadonlySet<string> = new Set([
  'if',
  'then',
  'elif',
  'else',
  'fi',
  'for',
  'in',
  'do',
  'done',
  'while',
  'until',
  'case',
  'esac',
  'select',
  'function',
  'time',
  'coproc',
  '{',
  '}',
  '!',
  '[[',
  ']]',
]);

export function paintBare(text: string, paint: Paint): void {
  let at = 0;
  while (at < text.length) {
    if (!paint.isBare(at) || isSpace(text, at)) {
      at++;
      continue;
    }
    const end = isComment(text, at) ? lineEndOf(text, at) : tokenEnd(text, at, paint);
    paintToken(text, at, end, paint);
    at = end;
  }
}

function paintToken(text: string, start: number, end: number, paint: Paint): void {
  const token = text.slice(start, end);
  if (token.startsWith('#') && isComment(text, start)) paint.add(start, end, 'comment');
  else if (keywords.has(token)) paint.add(start, end, 'keyword');
  else if (/^[;&|()<>=!-]/.test(token)) paint.add(start, end, 'operator');
}

/** A token is letters and the like, or signs, and ends where something is covered. */
function tokenEnd(text: string, start: number, paint: Paint): number {
  const isSign = isOperatorSign(text, start);
  let end = start + 1;
  while (end < text.length && paint.isBare(end) && !isSpace(text, end) && isOperatorSign(text, end) === isSign) end++;
  return end;
}

function isOperatorSign(text: string, at: number): boolean {
  return ';&|()<>'.includes(text.charAt(at));
}

function isComment(text: string, at: number): boolean {
  return text[at] === '#' && (at === 0 || isSpace(text, at - 1) || isOperatorSign(text, at - 1));
}

function lineEndOf(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
