/** Values of options: sizes, durations, variables. Pure. */
import { NshError } from '../../src/protocol/errors.ts';
import { refuseForeignVariable } from '../foreign-bytes.ts';

export { formatDuration, parseDuration, parseSize } from '../../src/ids/quantities.ts';

/** `VAR=VALUE`, or `VAR` for the value it has here. @throws NshError `usage` */
export function parseVariable(text: string, env: Readonly<Record<string, string | undefined>>): [string, string] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '' || name.includes('\0'))
    throw new NshError('usage', `'${text}' names no variable; write VAR=VALUE or VAR`);
  if (equals >= 0) return [name, text.slice(equals + 1)];
  const value = env[name];
  if (value === undefined) throw new NshError('usage', `the variable ${name} is not set here; write ${name}=VALUE`);
  refuseForeignVariable(name, value);
  return [name, value];
}

/** A text that the protocol takes up to so many characters. @throws NshError `usage` */
export function checkLength(text: string | undefined, option: string, most: number): string | undefined {
  if (text === undefined || text.length <= most) return text;
  throw new NshError('usage', `the argument of ${option} has ${text.length} characters; ${most} is the most`);
}

/** A whole number of at least `least`. @throws NshError `usage` */
export function parseCount(text: string, option: string, least: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= least) return count;
  throw new NshError('usage', `invalid number '${text}' for ${option}`);
}
