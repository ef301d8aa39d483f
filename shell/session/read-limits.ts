/** Reads what `ulimit -Sa` and `ulimit -Ha` print: `open files  (-n) 1024`. */
import type { ByteText } from '../language/byte-text.ts';

/** @returns by kind and letter, `Sn` or `Hc`: a number in the unit of `ulimit`, or `unlimited`. */
export function readLimits(soft: ByteText, hard: ByteText, refuse: (reason: string) => void): Map<string, string> {
  const found = new Map<string, string>();
  for (const [kind, text] of [
    ['S', soft],
    ['H', hard],
  ] as const) {
    for (const line of text.split('\n')) {
      const [, letter, value] =
        /^[a-zA-Z ()-]{1,40} +\((?:[a-z0-9/ -]{1,20}, )?-([a-zA-Z])\) (\d{1,20}|unlimited)$/.exec(line) ?? [];
      // The size of a pipe's buffer is none to be set.
      if (letter !== undefined && value !== undefined && letter !== 'p') found.set(`${kind}${letter}`, value);
      else if (line !== '' && letter === undefined) refuse('a limit');
    }
  }
  return found;
}
