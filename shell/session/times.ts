/** What `time` prints for a pipeline that nsh ran: CPU times are those of all its stages, wherever they ran. */
import type { CpuTimes } from './cpu-times.ts';

const bashFormat = '\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS';
const posixFormat = 'real %2R\nuser %2U\nsys %2S';

/** @param timeFormat the session's TIMEFORMAT; '' prints nothing. */
export function formatTimes(
  seconds: number,
  { userMs, systemMs }: CpuTimes,
  style: 'bash' | 'posix',
  timeFormat?: string,
): string {
  const format = style === 'posix' ? posixFormat : (timeFormat ?? bashFormat);
  if (format === '') return '';
  const text = format.replaceAll(
    /%(%|P|(\d?)(l?)([RUS]))/g,
    (_, whole: string, digits: string, long: string, which: string) => {
      if (whole === '%') return '%';
      if (whole === 'P') return (seconds === 0 ? 0 : (userMs + systemMs) / 10 / seconds).toFixed(2);
      const value = which === 'R' ? seconds : (which === 'U' ? userMs : systemMs) / 1000;
      const places = digits === '' ? 3 : Math.min(3, Number(digits));
      if (long === '') return value.toFixed(places);
      return `${Math.floor(value / 60)}m${(value % 60).toFixed(places)}s`;
    },
  );
  return `${text}\n`;
}
