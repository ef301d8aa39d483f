/**
 * Words as readline's emacs mode has them: letters and digits (M-f, M-b), and what stands between white space (C-w). And lines of a
 * text with several. All take and return offsets.
 */
const letterOrDigit = /[\p{L}\p{N}\p{M}]/u;

export function isWordCharacter(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x80) return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return letterOrDigit.test(String.fromCodePoint(text.codePointAt(startOfPoint(text, at)) ?? 0));
}

/** End of the `count`th word after `at`; beginning of the `-count`th before where it is negative. */
export function moveByWords(text: string, at: number, count: number): number {
  let position = at;
  for (let left = count; left > 0; left--) position = wordEnd(text, position);
  for (let left = count; left < 0; left++) position = wordStart(text, position);
  return position;
}

/** Where what lies between white space, and white space after it, begins: C-w. */
export function blankWordStart(text: string, at: number): number {
  let position = at;
  while (position > 0 && isBlank(text, position - 1)) position--;
  while (position > 0 && !isBlank(text, position - 1)) position--;
  return position;
}

export function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09 || code === 0x0a;
}

export function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
}

/** The newline's own offset, or the text's end. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function wordEnd(text: string, at: number): number {
  let position = at;
  while (position < text.length && !isWordCharacter(text, position)) position++;
  while (position < text.length && isWordCharacter(text, position)) position++;
  return position;
}

function wordStart(text: string, at: number): number {
  let position = at;
  while (position > 0 && !isWordCharacter(text, position - 1)) position--;
  while (position > 0 && isWordCharacter(text, position - 1)) position--;
  return position;
}

/** The second half of a surrogate pair belongs to its first. */
function startOfPoint(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff && at > 0 ? at - 1 : at;
}
