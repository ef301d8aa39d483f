/**
 * JSON text that passes through unread: an agent hands the answer of a node on to its client without parsing it. The text comes
 * from another machine, so it is checked to be one closed object or list before it is put inside a message of ours: nothing in
 * it can end that message early and speak for another node.
 */

export class RawJson {
  readonly text: Buffer;

  private constructor(text: Buffer) {
    this.text = text;
  }

  /** undefined where `text` is not one object or list with balanced brackets. */
  static from(text: Buffer): RawJson | undefined {
    return isOneValue(text) ? new RawJson(text) : undefined;
  }

  /** @throws SyntaxError */
  parse(): unknown {
    return JSON.parse(this.text.toString('utf8')) as unknown;
  }
}

const quote = 0x22;
const backslash = 0x5c;

function isOneValue(text: Buffer): boolean {
  let depth = 0;
  const last = text.length - 1;
  for (let i = 0; i <= last; i++) {
    switch (text[i]) {
      case quote:
        i = endOfString(text, i);
        if (i === -1) return false;
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth++;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        if (depth === 0) return i === last;
        break;
      default:
        break;
    }
    if (depth <= 0) return false;
  }
  return false;
}

/** Index of the quote that closes the string which opens at `open`; -1 where it stays open. */
function endOfString(text: Buffer, open: number): number {
  let end = text.indexOf(quote, open + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === backslash) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf(quote, end + 1);
  }
  return -1;
}
