/**
 * The newest of what was typed into a terminal, to find out what of it nobody has read: the other side tells what it had left over, and only
 * what the person has really typed is given back. Pure.
 */
import type { ByteText } from '../language/byte-text.ts';

/** The kernel keeps no more of a terminal's input. */
const maxBytes = 4096;

export class TypedTail {
  #text: ByteText = '';

  push(bytes: Buffer): void {
    this.#text = (this.#text + bytes.toString('latin1')).slice(-maxBytes);
  }

  /** @param left what was left over, as a terminal that reads whole lines has it. Undefined: that was not typed last. */
  find(left: ByteText): Buffer | undefined {
    if (left === '') return undefined;
    const typed = edited(asEnters(this.#text));
    const wanted = asEnters(left);
    return typed.endsWith(wanted) ? Buffer.from(wanted, 'latin1') : undefined;
  }
}

/** As the kernel edits a line that is typed: the last character goes, or all of the line. */
function edited(text: ByteText): ByteText {
  let lines = '';
  let line = '';
  for (const byte of text) {
    if (byte === '\x7f') line = line.replace(/[^\x80-\xbf]?[\x80-\xbf]*$/, '');
    else if (byte === '\x15') line = '';
    else line += byte;
    if (byte !== '\r') continue;
    lines += line;
    line = '';
  }
  return lines + line;
}

export function asEnters(text: ByteText): ByteText {
  return text.replaceAll('\n', '\r');
}
