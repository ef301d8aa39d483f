/** Values of options: sizes, durations, variables. Pure. */
import { NshError } from '../../src/protocol/errors.ts';
import { refuseForeignVariable } from '../foreign-bytes.ts';

const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  '': 1_000,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `none`, `0`, `500000`, `64K`, `8M`, `1.5G` (powers of 1024; `KB` and `KiB` as well). @throws NshError `usage` */
export function parseSize(text: string, option: string): number {
  if (text === 'none') return 0;
  const found = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/i.exec(text);
  const unit = sizeUnits[found?.[2]?.toLowerCase() ?? ''];
  const bytes = Math.round(Number(found?.[1]) * (unit ?? Number.NaN));
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new NshError('usage', `invalid size '${text}' for ${option}; write it like 64K, 8M, 1G or none`);
}

/** `30s`, `5m`, `1h30m`, `250ms`; a bare number is seconds. @throws NshError `usage` */
export function parseDuration(text: string, option: string): number {
  let ms = 0;
  const rest = text.replace(/(\d+(?:\.\d+)?)(ms|[smhd]|$)/g, (_all, number: string, unit: string) => {
    ms += Number(number) * (durationUnits[unit] ?? 0);
    return '';
  });
  if (text !== '' && rest === '' && ms >= 1 && Number.isFinite(ms)) return Math.round(ms);
  throw new NshError('usage', `invalid duration '${text}' for ${option}; write it like 30s, 5m or 1h30m`);
}

/** As `parseDuration` reads it: `1h30m`, `250ms`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const length = durationUnits[unit] ?? 1;
    const count = Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return text === '' ? '0s' : text;
}

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
