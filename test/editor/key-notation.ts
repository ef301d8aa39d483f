/** Keys for tests, written as in `one two<C-a><M-f><Esc>3dw`: what a terminal sends for them. */
const named: Readonly<Record<string, string>> = {
  Esc: '\u{1b}',
  Enter: '\r',
  Tab: '\t',
  BS: '\u{7f}',
  Del: '\u{1b}[3~',
  Up: '\u{1b}[A',
  Down: '\u{1b}[B',
  Right: '\u{1b}[C',
  Left: '\u{1b}[D',
  Home: '\u{1b}[H',
  End: '\u{1b}[F',
  lt: '<',
};

export function bytesOf(notation: string): string {
  return notation.replace(/<([^<>\s]+|M-<|M->)>/g, (_whole, key: string) => bytesOfKey(key));
}

function bytesOfKey(key: string): string {
  if (key.startsWith('M-')) return `\u{1b}${bytesOfKey(key.slice(2))}`;
  if (key === 'C-?') return '\u{7f}';
  if (key.startsWith('C-')) return String.fromCharCode(key.charCodeAt(2) & 0x1f);
  return named[key] ?? key;
}
