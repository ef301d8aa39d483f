/** Numbers as `top` shows them, and cells of a fixed width. Pure. */
import { cutToWidth, displayWidth, escapeText } from '../escape.ts';

/** `812K`, `12.3M`, `1.2G`: five cells at most up to 999 TiB. */
export function formatKb(kb: number): string {
  let value = kb;
  for (const unit of ['K', 'M', 'G', 'T']) {
    if (value < 999.5 || unit === 'T')
      return `${unit === 'K' || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)}${unit}`;
    value /= 1024;
  }
  return '';
}

/** Processor time: `0:01.23`, `123:45`, `120h`. */
export function formatTicks(ticks: number): string {
  const minutes = Math.floor(ticks / 6000);
  const seconds = (ticks % 6000) / 100;
  if (minutes < 1000) return `${minutes}:${seconds.toFixed(2).padStart(5, '0')}`;
  if (minutes < 60_000) return `${minutes}:${String(Math.floor(seconds)).padStart(2, '0')}`;
  return `${Math.floor(minutes / 60)}h`;
}

/** `0.0` to `99.9`, then without a fraction. */
export function formatPercent(percent: number): string {
  return percent >= 99.95 ? percent.toFixed(0) : percent.toFixed(1);
}

/** A text of any origin in exactly so many cells; what is cut ends in `+`. */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  if (width <= 0) return '';
  const safe = escapeText(text);
  const fits = displayWidth(safe) <= width;
  const shown = fits ? safe : `${cutToWidth(safe, width - 1)}+`;
  const padding = ' '.repeat(Math.max(0, width - displayWidth(shown)));
  return align === 'left' ? shown + padding : padding + shown;
}
