/** Quoting for bash: whatever the bytes, the word stands for exactly them and nothing in it is expanded. */
import type { ByteText } from '../language/byte-text.ts';

/** In single quotes. Newlines stay as they are. */
export function quoteWord(text: ByteText): ByteText {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** On one line, as `$'…'`: line numbers behind it do not shift. */
export function quoteOnOneLine(text: ByteText): ByteText {
  // Backslashes before newlines would otherwise join lines; bytes above 127 stay raw, since `$'…'` leaves them alone.
  const escaped = text.replaceAll(/[\\'\n\r\0]/g, (character) => escapes[character] ?? '');
  return `$'${escaped}'`;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\n': '\\n', '\r': '\\r', '\0': '' };
