/** Reads what `set +o` and `shopt -p` print. */
import type { ByteText } from '../language/byte-text.ts';

/** `set -o NAME` (on) and `set +o NAME` (off). */
export function readOptions(text: ByteText, refuse: (reason: string) => void): Map<string, boolean> {
  return readSwitches(text, /^set ([-+])o ([a-z][a-z0-9-]*)$/, '-', refuse);
}

/** `shopt -s NAME` (on) and `shopt -u NAME` (off). */
export function readShopts(text: ByteText, refuse: (reason: string) => void): Map<string, boolean> {
  return readSwitches(text, /^shopt -([su]) ([a-z][a-z0-9_]*)$/, 's', refuse);
}

function readSwitches(
  text: ByteText,
  line: RegExp,
  on: string,
  refuse: (reason: string) => void,
): Map<string, boolean> {
  const found = new Map<string, boolean>();
  for (const each of text.split('\n')) {
    const [, state, name] = line.exec(each) ?? [];
    if (name !== undefined) found.set(name, state === on);
    else if (each !== '') refuse('an option');
  }
  return found;
}
