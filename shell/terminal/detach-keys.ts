/**
 * The keys that detach from a terminal: which they are, and finding them among what is typed. Pure. The first key of the sequence
 * is held back until the next one tells: the rest of the sequence detaches, the first key again sends it once, any other key sends
 * both. Terminals in the kitty or modifyOtherKeys mode report `ctrl-\` as an escape sequence; those are understood too.
 */
import { NshError } from '../../src/protocol/errors.ts';

/** One key: the byte that it sends, and the code and modifiers under which extended keyboards report it. */
export interface DetachKey {
  readonly byte: number;
  readonly code: number;
  readonly ctrl: boolean;
}

export const defaultDetachKeys = 'ctrl-\\ d';

/**
 * Reads `ctrl-\ d`, `ctrl-p,ctrl-q`, `^X`, `C-a q`: keys apart by blanks or commas. `none` or nothing: no key detaches.
 * @throws NshError `usage`
 */
export function parseDetachKeys(text: string): readonly DetachKey[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0 || (words.length === 1 && words[0] === 'none')) return [];
  return words.map((word) => parseKey(word, text));
}

function parseKey(word: string, text: string): DetachKey {
  const control = /^(?:ctrl-|control-|c-|\^)(.)$/i.exec(word)?.[1];
  if (control !== undefined) {
    const upper = control.toUpperCase().charCodeAt(0);
    // ASCII pairs @A…Z[\]^_ with the controls 0 to 31, and ? with DEL.
    if (upper === 0x3f) return { byte: 0x7f, code: 0x3f, ctrl: true };
    if (upper >= 0x40 && upper <= 0x5f)
      return { byte: upper - 0x40, code: control.toLowerCase().charCodeAt(0), ctrl: true };
  }
  const byte = word.charCodeAt(0);
  if (word.length === 1 && byte > 0x20 && byte < 0x7f) return { byte, code: byte, ctrl: false };
  throw new NshError(
    'usage',
    `'${text}': '${word}' is no key; detach keys are written like '${defaultDetachKeys}', '^X' or 'ctrl-p,ctrl-q'`,
  );
}

/** As they are written: `ctrl-\\ d`. */
export function describeKeys(keys: readonly DetachKey[]): string {
  return keys.map(({ code, ctrl }) => `${ctrl ? 'ctrl-' : ''}${String.fromCharCode(code)}`).join(' ');
}

export interface Typed {
  /** To be passed on. */
  readonly pass: Buffer;
  /** The keys were typed. What came after them is dropped: it was meant for another program. */
  readonly detached: boolean;
}

interface Press {
  readonly length: number;
  /** A key that was let go, which some keyboards report: it neither continues nor breaks a sequence. */
  readonly release: boolean;
  readonly is: (key: DetachKey) => boolean;
}

const nothing = Buffer.alloc(0);

export class DetachKeyParser {
  readonly #keys: readonly DetachKey[];
  /** How many keys of the sequence have been typed, and their bytes. */
  #matched = 0;
  #held: Buffer = nothing;

  constructor(keys: readonly DetachKey[]) {
    this.#keys = keys;
  }

  feed(bytes: Buffer): Typed {
    const first = this.#keys[0];
    if (first === undefined) return { pass: bytes, detached: false };
    if (this.#matched === 0 && !bytes.includes(first.byte) && !bytes.includes('\u001b[')) {
      return { pass: bytes, detached: false };
    }
    const pass: Buffer[] = [];
    let passFrom = 0;
    for (let at = 0; at < bytes.length; ) {
      const press = readPress(bytes, at);
      const end = at + press.length;
      const took = this.#take(press, bytes.subarray(at, end));
      if (took !== 'pass') {
        pass.push(bytes.subarray(passFrom, at));
        if (took === 'detach') return { pass: Buffer.concat(pass), detached: true };
        if (took !== 'hold') pass.push(took);
        passFrom = end;
      }
      at = end;
    }
    if (passFrom === 0) return { pass: bytes, detached: false };
    pass.push(bytes.subarray(passFrom));
    return { pass: Buffer.concat(pass), detached: false };
  }

  /** `pass`: nothing was held and nothing begins. A buffer: send this instead. */
  #take(press: Press, bytes: Buffer): 'pass' | 'hold' | 'detach' | Buffer {
    const [first] = this.#keys;
    const next = this.#keys[this.#matched];
    if (first === undefined || next === undefined) return 'pass';
    if (press.release) {
      if (this.#matched === 0) return 'pass';
      this.#held = Buffer.concat([this.#held, bytes]);
      return 'hold';
    }
    if (press.is(next)) {
      this.#matched++;
      if (this.#matched === this.#keys.length) return 'detach';
      this.#held = Buffer.concat([this.#held, bytes]);
      return 'hold';
    }
    if (this.#matched === 0) return 'pass';
    const held = this.#held;
    const doubled = this.#matched === 1 && press.is(first);
    this.#matched = 0;
    this.#held = nothing;
    if (doubled) return bytes;
    if (!press.is(first)) return Buffer.concat([held, bytes]);
    this.#matched = 1;
    this.#held = Buffer.from(bytes);
    return held;
  }
}

/** `CSI code ; modifiers : event u` (kitty) or `CSI 27 ; modifiers ; code ~` (xterm's modifyOtherKeys). */
const extendedKey = /^\u001b\[(?:27;(\d+);(\d+)~|(\d+)(?::\d*)*(?:;(\d+)(?::(\d+))?)?(?:;[\d:]*)?u)/;
const longestExtendedKey = 40;
const escape = 0x1b;

function readPress(bytes: Buffer, at: number): Press {
  const byte = bytes[at] ?? 0;
  const found = byte === escape ? extendedKey.exec(bytes.toString('latin1', at, at + longestExtendedKey)) : null;
  if (found === null) return { length: 1, release: false, is: (key) => key.byte === byte };
  const code = Number(found[2] ?? found[3]);
  const modifiers = Number(found[1] ?? found[4] ?? 1) - 1;
  // Shift, caps lock and num lock do not make another key of it; alt, super, hyper and meta do.
  const ctrl = (modifiers & 0b100) !== 0;
  const other = (modifiers & 0b11_1010) !== 0;
  return {
    length: found[0].length,
    release: found[5] === '3',
    is: (key) => !other && ctrl === key.ctrl && code === key.code,
  };
}
