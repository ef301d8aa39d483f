/**
 * Which modes a program has switched on in the terminal, read from the bytes it sends, so that they can be switched off when the
 * terminal is taken from it. Pure, and cheap: bytes without an escape, shift-out or shift-in cost one search each.
 * Sequences as in xterm's ctlseqs, kitty's keyboard protocol, ECMA-48. A new mode goes into `privateModes` or `#csi`.
 */

/** DEC private modes that outlive a program, with the state that a terminal starts in. In the order in which they are reset. */
const privateModes: ReadonlyMap<number, boolean> = new Map([
  [2026, false], // synchronized output: first, or the rest is not shown
  [1049, false], // alternate screen
  [1047, false],
  [47, false],
  [1, false], // application cursor keys
  [5, false], // reverse video
  [6, false], // origin mode
  [7, true], // autowrap
  [9, false], // mouse reports
  [1000, false],
  [1001, false],
  [1002, false],
  [1003, false],
  [1004, false], // focus reports
  [1005, false],
  [1006, false],
  [1015, false],
  [1016, false],
  [45, false], // reverse wraparound
  [66, false], // application keypad
  [69, false], // left and right margins
  [2004, false], // bracketed paste
  [2031, false], // colour scheme reports
  [2048, false], // size reports
  [25, true], // cursor shown
]);

/** What the reports of these modes would put into the person's next command line: switched off also where nobody saw them come on. */
const harmful: readonly number[] = [1000, 1002, 1003, 1004, 1006, 2004];

/** A sequence longer than this is not one of ours; its beginning is forgotten. */
const longestSequence = 64;
const escape = 0x1b;
const [shiftOut, shiftIn, cancel, bell] = [0x0e, 0x0f, 0x18, 0x07];

const [leftBracket, letterM, semicolon, zero] = [0x5b, 0x6d, 0x3b, 0x30];
/** Finals of control sequences that leave nothing behind, and `m`. */
const passing = Buffer.from('@ABCDEFGHIJKLMPSTXZ`abcdefgintm');

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

type Place = 'text' | 'sequence' | 'string';

export class ModeTracker {
  /** Private modes that are not as they were at the start. */
  #modes = new Set<number>();
  #insert = false;
  #keypad = false;
  #shape = false;
  #margins = false;
  #charset = false;
  #shifted = false;
  #colours = false;
  #palette = false;
  #link = false;
  #modifyKeys = false;
  /** Depth of the keyboard stack, for the main and the alternate screen, which have one each. */
  #kitty = [0, 0];
  #place: Place = 'text';
  /** The sequence so far, without its escape. */
  #sequence = '';

  see(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#place === 'text') {
        const found = bytes.indexOf(escape, at);
        const end = found === -1 ? bytes.length : found;
        this.#seeShifts(bytes, at, end);
        if (found === -1) return;
        at = this.#quickly(bytes, found + 1);
      } else if (this.#place === 'string') {
        at = this.#inString(bytes, at);
      } else {
        this.#inSequence(bytes[at] ?? 0);
        at++;
      }
    }
  }

  /** What undoes all that was seen, as bytes for the terminal; empty where there is nothing to undo. */
  undo(): string {
    const parts: string[] = [];
    // Whatever is unfinished would swallow what follows.
    if (this.#place === 'string') parts.push('\u001b\\');
    else if (this.#place === 'sequence') parts.push(String.fromCharCode(cancel));
    if (this.#margins) parts.push('\u001b7\u001b[r\u001b8');
    const alternate = this.#onAlternate;
    if (this.#kitty[alternate] !== 0) parts.push(`\u001b[<${this.#kitty[alternate]}u`);
    for (const [mode, atStart] of privateModes) {
      if (this.#modes.has(mode)) parts.push(`\u001b[?${mode}${atStart ? 'h' : 'l'}`);
    }
    if (alternate === 1 && this.#kitty[0] !== 0) parts.push(`\u001b[<${this.#kitty[0]}u`);
    if (this.#insert) parts.push('\u001b[4l');
    if (this.#keypad) parts.push('\u001b>');
    if (this.#shifted) parts.push(String.fromCharCode(shiftIn));
    if (this.#charset) parts.push('\u001b(B\u001b)B');
    if (this.#modifyKeys) parts.push('\u001b[>4;0m');
    if (this.#shape) parts.push('\u001b[0 q');
    if (this.#link) parts.push('\u001b]8;;\u001b\\');
    if (this.#palette) parts.push('\u001b]104\u001b\\\u001b]110\u001b\\\u001b]111\u001b\\\u001b]112\u001b\\');
    if (this.#colours) parts.push('\u001b[m');
    this.#forget();
    return parts.join('');
  }

  /** The same after an end that nobody planned: what could still disturb the person is switched off without having been seen. */
  undoAll(): string {
    const seen = this.undo();
    return `${seen}${harmful.map((mode) => `\u001b[?${mode}l`).join('')}\u001b[?25h\u001b[m`;
  }

  get #onAlternate(): 0 | 1 {
    return this.#modes.has(1049) || this.#modes.has(1047) || this.#modes.has(47) ? 1 : 0;
  }

  #begin(): void {
    this.#place = 'sequence';
    this.#sequence = '';
  }

  /** Most sequences move the cursor, erase or colour: those are passed over without making a text of them. */
  #quickly(bytes: Buffer, at: number): number {
    this.#begin();
    if (bytes[at] !== leftBracket) return at;
    let end = at + 1;
    for (let byte = bytes[end]; byte !== undefined && byte >= 0x20 && byte < 0x40; byte = bytes[end]) end++;
    const final = bytes[end];
    if (final === undefined || passing.indexOf(final) === -1) return at;
    const marked = (bytes[at + 1] ?? 0) >= 0x3c && (bytes[at + 1] ?? 0) < 0x40;
    if (final === letterM) {
      if (marked) return at;
      const last = bytes[end - 1];
      const reset = last === leftBracket || last === semicolon || (last === zero && !isDigit(bytes[end - 2]));
      this.#colours = !reset;
    }
    this.#place = 'text';
    return end + 1;
  }

  #seeShifts(bytes: Buffer, from: number, to: number): void {
    const text = bytes.subarray(from, to);
    const out = text.lastIndexOf(shiftOut);
    const back = this.#shifted || out !== -1 ? text.lastIndexOf(shiftIn) : -1;
    if (out !== -1 || back !== -1) this.#shifted = out > back;
  }

  /** Strings (titles, colours, hyperlinks, pictures) end with BEL or ST; CAN and SUB break them off. */
  #inString(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(escape, at);
    const stop = bytes.indexOf(bell, at);
    const isCommand = this.#sequence.startsWith(']');
    const bellFirst = isCommand && stop !== -1 && (end === -1 || stop < end);
    const upTo = bellFirst ? stop : end === -1 ? bytes.length : end;
    if (isCommand && this.#sequence.length < longestSequence) {
      this.#sequence += bytes.toString('latin1', at, Math.min(upTo, at + longestSequence));
    }
    if (bellFirst) {
      this.#command();
      this.#place = 'text';
      return stop + 1;
    }
    if (end === -1) return bytes.length;
    if (isCommand) this.#command();
    // ST is ESC \; any other escape ends the string as well and begins a sequence.
    this.#begin();
    return end + 1;
  }

  #inSequence(byte: number): void {
    if (byte === escape) return this.#begin();
    if (byte === cancel || byte === 0x1a) {
      this.#place = 'text';
      return;
    }
    if (byte < 0x20) return;
    const first = this.#sequence === '';
    this.#sequence += String.fromCharCode(byte);
    if (first) return this.#afterEscape(byte);
    if (this.#sequence.startsWith('[')) {
      if (byte >= 0x40 && byte <= 0x7e) this.#csi();
    } else if (byte >= 0x30) {
      this.#escape();
    }
    if (this.#sequence.length > longestSequence) this.#place = 'text';
  }

  #afterEscape(byte: number): void {
    const character = String.fromCharCode(byte);
    if (character === '[') return;
    if (character === ']' || character === 'P' || character === '_' || character === '^' || character === 'X') {
      this.#place = 'string';
    } else if (byte >= 0x30) {
      this.#escape();
    }
  }

  #escape(): void {
    this.#place = 'text';
    const sequence = this.#sequence;
    if (sequence === '=') this.#keypad = true;
    else if (sequence === '>') this.#keypad = false;
    else if (sequence === 'c') this.#forget();
    else if (sequence.startsWith('(') || sequence.startsWith(')'))
      this.#charset = !sequence.endsWith('B') || this.#charset;
  }

  #csi(): void {
    this.#place = 'text';
    const body = this.#sequence.slice(1, -1);
    switch (this.#sequence.at(-1) ?? '') {
      case 'h':
      case 'l':
        return this.#setModes(body, this.#sequence.endsWith('h'));
      case 'm':
        if (body.startsWith('>')) this.#modifyKeys = /^>4;[1-9]/.test(body);
        else if (!/^[?<=]/.test(body)) this.#colours = !/^(?:|.*;)0*$/.test(body);
        return;
      case 'r':
        if (/^[\d;]*$/.test(body)) this.#margins = body !== '';
        return;
      case 'q':
        if (body.endsWith(' ')) this.#shape = !/^[0]? $/.test(body);
        return;
      case 'p':
        if (body === '!') this.#forget();
        return;
      case 'u':
        return this.#keyboard(body);
      default:
    }
  }

  #setModes(body: string, on: boolean): void {
    if (!body.startsWith('?')) {
      if (body.split(';').includes('4')) this.#insert = on;
      return;
    }
    for (const word of body.slice(1).split(';')) {
      const mode = Number(word);
      const atStart = privateModes.get(mode);
      if (atStart === undefined) continue;
      if (on === atStart) this.#modes.delete(mode);
      else this.#modes.add(mode);
      if (!on && (mode === 1049 || mode === 1047 || mode === 47)) this.#kitty[1] = 0;
    }
  }

  /** `CSI > flags u` pushes, `CSI < n u` pops, `CSI = flags ; mode u` sets the top. */
  #keyboard(body: string): void {
    const screen = this.#onAlternate;
    const depth = this.#kitty[screen] ?? 0;
    if (body.startsWith('>')) this.#kitty[screen] = depth + 1;
    else if (body.startsWith('<')) this.#kitty[screen] = Math.max(0, depth - (Number(body.slice(1)) || 1));
    else if (body.startsWith('=')) this.#kitty[screen] = Math.max(1, depth);
  }

  /** OSC: hyperlinks and changed colours stay; titles and the rest do no harm. */
  #command(): void {
    const text = this.#sequence.slice(1);
    const link = /^8;[^;]*;(.?)/.exec(text);
    if (link !== null) this.#link = link[1] !== '';
    else if (/^(?:4|10|11|12);(?!.*\?$)/.test(text)) this.#palette = true;
    else if (/^(?:104|110|111|112)/.test(text)) this.#palette = false;
  }

  #forget(): void {
    this.#modes = new Set();
    this.#kitty = [0, 0];
    this.#insert = this.#keypad = this.#shape = this.#margins = this.#charset = this.#shifted = false;
    this.#colours = this.#palette = this.#link = this.#modifyKeys = false;
    this.#place = 'text';
  }
}
