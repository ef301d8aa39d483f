/** Sizes and durations as a person types them, for options, specifications and messages. Pure. */
import { NshError } from '../protocol/errors.ts';

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

/** As `parseSize` reads it, exactly: `512M`, `1536K`, `500000`. */
export function formatSize(bytes: number): string {
  const unit = (['t', 'g', 'm', 'k'] as const).find((letter) => bytes > 0 && bytes % (sizeUnits[letter] ?? 1) === 0);
  return unit === undefined ? String(bytes) : `${bytes / (sizeUnits[unit] ?? 1)}${unit.toUpperCase()}`;
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
