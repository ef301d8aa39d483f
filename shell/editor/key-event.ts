/**
 * What the terminal said, as the editor takes it. A key's name is its modifiers in the fixed order `C-`, `M-`, `S-` before a
 * character (`C-a`, `M-f`, `é`) or a word: enter tab escape backspace delete insert home end pageup pagedown up down left right
 * f1 … f20. Shift is part of a character (`A`, never `S-a`). NUL is `C-@`, C-i is `tab`, C-m `enter`; C-j and C-h keep their names.
 */
export interface Key {
  readonly type: 'key';
  readonly name: string;
  /** The character without its modifiers; empty for keys that have none. */
  readonly text: string;
  /** What the terminal sent, for quoted insert. */
  readonly raw: string;
}

/** Bracketed paste, line ends as `\n`. Other control characters are left in: what is drawn shows them as ^X. */
export interface Paste {
  readonly type: 'paste';
  readonly text: string;
}

export type InputEvent = Key | Paste;

export interface Modifiers {
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
}

export const noModifiers: Modifiers = { ctrl: false, alt: false, shift: false };

/** A named key: `C-right`, `S-tab`. */
export function namedKey(word: string, modifiers: Modifiers, raw: string): Key {
  const shift = modifiers.shift ? 'S-' : '';
  return { type: 'key', name: `${prefixOf(modifiers)}${shift}${word}`, text: textOfNamed(word), raw };
}

/** A character with its modifiers; control characters get their key's name. */
export function characterKey(character: string, modifiers: Modifiers, raw: string): Key {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return controlKey(code, modifiers, raw);
  if (!modifiers.ctrl) return { type: 'key', name: `${prefixOf(modifiers)}${character}`, text: character, raw };
  return controlledCharacter(character, modifiers, raw);
}

/** A lone Escape, or Escape with Alt. */
export function escapeKey(modifiers: Modifiers, raw: string): Key {
  return namedKey('escape', modifiers, raw);
}

/** The same key without Alt: in vi mode Escape and the next key, sent at once, arrive as M-key. */
export function withoutAlt(key: Key): Key {
  return { ...key, name: key.name.replace('M-', ''), raw: key.raw.replace(/^\u{1b}/u, '') };
}

function controlKey(code: number, modifiers: Modifiers, raw: string): Key {
  if (code === 0x09) return namedKey('tab', modifiers, raw);
  if (code === 0x0d) return namedKey('enter', modifiers, raw);
  if (code === 0x1b) return namedKey('escape', modifiers, raw);
  if (code === 0x7f) return namedKey('backspace', modifiers, raw);
  const character = String.fromCharCode(code + 0x40).toLowerCase();
  const text = String.fromCharCode(code);
  return { type: 'key', name: `${prefixOf({ ...modifiers, ctrl: true })}${character}`, text, raw };
}

/** Ctrl with a character, as CSI-u forms tell it: folded into what the old encoding would have sent, where it could. */
function controlledCharacter(character: string, modifiers: Modifiers, raw: string): Key {
  const plain = { ...modifiers, ctrl: false, shift: false };
  if (character === ' ') return controlKey(0, plain, raw);
  if (character === '/') return controlKey(0x1f, plain, raw);
  const code = character.toUpperCase().codePointAt(0) ?? 0;
  if (code >= 0x40 && code <= 0x5f) return controlKey(code - 0x40, plain, raw);
  return { type: 'key', name: `${prefixOf(modifiers)}${character}`, text: '', raw };
}

function prefixOf(modifiers: Modifiers): string {
  return `${modifiers.ctrl ? 'C-' : ''}${modifiers.alt ? 'M-' : ''}`;
}

function textOfNamed(word: string): string {
  if (word === 'tab') return '\t';
  if (word === 'enter') return '\r';
  if (word === 'escape') return '\u{1b}';
  return word === 'backspace' ? '\u{7f}' : '';
}
