/**
 * Terminal input bytes → key events. Sequences and characters may be split anywhere. Escape alone cannot be told from the start of
 * a sequence but by time, which is the caller's: while `isUndecided` it waits a moment (50 ms is usual), then calls `flush`.
 */
import { characterKey, escapeKey, type InputEvent, noModifiers } from './key-event.ts';
import { readKey } from './read-key.ts';

const escape = '\u{1b}';
const pasteEnd = `${escape}[201~`;
/** Begun with Escape, and typed by a person as likely as not: an answer of a terminal comes at once, and is longer. */
const undecided = /^\u{1b}{1,2}(?:\[?|O[\d;]*|[\]P_].{0,12})$/su;
const alt = { ...noModifiers, alt: true };

export class KeyDecoder {
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  /** Not yet decided. */
  #held = '';
  /** Pieces of the paste under way. */
  #paste: string[] | undefined;

  push(bytes: Uint8Array): InputEvent[] {
    const events: InputEvent[] = [];
    this.#read(this.#held + this.#utf8.decode(bytes, { stream: true }), events);
    return events;
  }

  /** The input so far is a whole key or the start of a longer one: time decides. */
  get isUndecided(): boolean {
    return this.#paste === undefined && undecided.test(this.#held);
  }

  /** A paste has begun and its end has not come. */
  get isPasting(): boolean {
    return this.#paste !== undefined;
  }

  /** Time is up: what is undecided is taken as the keys it can be. */
  flush(): InputEvent[] {
    if (!this.isUndecided) return [];
    const held = this.#held;
    this.#held = '';
    const [escapes = ''] = /^\u{1b}+/u.exec(held) ?? [];
    const letter = held.charAt(escapes.length);
    if (letter === '') return [escapeKey(escapes.length > 1 ? alt : noModifiers, held)];
    const events: InputEvent[] = [characterKey(letter, alt, escapes + letter)];
    this.#read(held.slice(escapes.length + 1), events);
    return events;
  }

  /** The terminal never ended its paste: what came counts as pasted. */
  endPaste(): InputEvent[] {
    if (this.#paste === undefined) return [];
    const text = this.#paste.join('') + this.#held;
    this.#paste = undefined;
    this.#held = '';
    return [{ type: 'paste', text: normalizeLineEnds(text) }];
  }

  #read(text: string, events: InputEvent[]): void {
    let at = 0;
    this.#held = '';
    while (at < text.length) {
      if (this.#paste !== undefined) {
        at = this.#readPaste(this.#paste, text, at, events);
        continue;
      }
      const reading = readKey(text, at);
      if (reading === 'more') {
        this.#held = text.slice(at);
        return;
      }
      if (text.startsWith('\u{1b}[200~', at)) this.#paste = [];
      else if (reading.key !== undefined) events.push(reading.key);
      at += reading.length;
    }
  }

  /** @returns where reading goes on. Each unit is looked at once, however the paste is cut into chunks. */
  #readPaste(pieces: string[], text: string, at: number, events: InputEvent[]): number {
    const end = text.indexOf(pasteEnd, at);
    if (end >= 0) {
      pieces.push(text.slice(at, end));
      events.push({ type: 'paste', text: normalizeLineEnds(pieces.join('')) });
      this.#paste = undefined;
      return end + pasteEnd.length;
    }
    const cut = startOfPartialEnd(text, at);
    pieces.push(text.slice(at, cut));
    this.#held = text.slice(cut);
    return text.length;
  }
}

/** Where the last units could be the beginning of the paste's end. */
function startOfPartialEnd(text: string, at: number): number {
  for (let length = Math.min(pasteEnd.length - 1, text.length - at); length > 0; length--) {
    if (pasteEnd.startsWith(text.slice(text.length - length))) return text.length - length;
  }
  return text.length;
}

function normalizeLineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
