/**
 * Words that are no UTF-8 text: node decodes its arguments and environment, and what it cannot decode has become U+FFFD. Nothing may
 * run with other bytes than were asked for, so such words are found in /proc/self and refused.
 */
import { readFileSync } from 'node:fs';
import { NshError } from '../src/protocol/errors.ts';

const replacement = '\uFFFD';
const advice =
  'which nsh does not pass on: give such bytes on standard input or in a file, or let the far side make them, as in ' +
  String.raw`sh -c 'COMMAND "$(printf "\377")"'`;

/** @param argv the last words of this process's command line. @throws NshError `usage` */
export function refuseForeignArguments(argv: readonly string[], readRaw = readCommandLine): void {
  if (!argv.some((word) => word.includes(replacement))) return;
  const raw = readRaw();
  const found = argv.findIndex(
    (word, index) => word.includes(replacement) && isForeign(raw[raw.length - argv.length + index]),
  );
  if (found === -1) return;
  throw new NshError('usage', `argument ${found + 1} (${shown(argv[found] ?? '')}) is not UTF-8 text, ${advice}`);
}

/** The value that a variable has here. @throws NshError `usage` */
export function refuseForeignVariable(name: string, value: string, readRaw = readEnvironment): void {
  if (!value.includes(replacement) && !name.includes(replacement)) return;
  const prefix = Buffer.from(`${name}=`);
  const raw = readRaw().find((entry) => entry.subarray(0, prefix.length).equals(prefix));
  if (isForeign(raw)) throw new NshError('usage', `the value of the variable ${name} is not UTF-8 text, ${advice}`);
}

/** U+FFFD itself may be meant: then the bytes are UTF-8. */
function isForeign(raw: Buffer | undefined): boolean {
  return raw !== undefined && !Buffer.from(raw.toString('utf8')).equals(raw);
}

function shown(word: string): string {
  const characters = Array.from(word);
  return characters.length <= 40 ? `'${word}'` : `'${characters.slice(0, 40).join('')}…'`;
}

function readCommandLine(): Buffer[] {
  return splitAtZero(readFileSync('/proc/self/cmdline'));
}

function readEnvironment(): Buffer[] {
  return splitAtZero(readFileSync('/proc/self/environ'));
}

/** Each word ends with a zero byte. */
function splitAtZero(bytes: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from);
    words.push(bytes.subarray(from, end === -1 ? bytes.length : end));
    from = end === -1 ? bytes.length : end + 1;
  }
  return words;
}
