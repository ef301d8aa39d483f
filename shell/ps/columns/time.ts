/** Columns of time: when a process began, how long it has been there, how much of a processor it has used. */
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { Row } from '../row.ts';
import { columns, numberCell, two, type Cell, type Column, type View } from './column.ts';

/** Clock ticks a second, as /proc counts them on every Linux. */
const hertz = 100;
const daySeconds = 86_400;

const cpuNeeds: readonly RawColumn[] = ['utime', 'stime', 'cutime', 'cstime', 'start'];
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function cpuTicks(row: Row, withDead: boolean): number | null {
  const utime = row.number('utime');
  if (utime === null) return null;
  const own = utime + (row.number('stime') ?? 0);
  return withDead ? own + (row.number('cutime') ?? 0) + (row.number('cstime') ?? 0) : own;
}

function elapsedTicks(row: Row): number | null {
  const start = row.number('start');
  return start === null ? null : Math.max(0, Math.trunc(row.table.uptimeSeconds * hertz) - start);
}

function elapsedSeconds(row: Row): number | null {
  const ticks = elapsedTicks(row);
  return ticks === null ? null : Math.trunc(ticks / hertz);
}

/** Use of a processor over the life of the process, in parts of `scale`. */
function usage(row: Row, view: View, scale: number): number | null {
  const used = cpuTicks(row, view.withDead);
  const elapsed = elapsedTicks(row);
  if (used === null || elapsed === null) return null;
  return elapsed === 0 ? 0 : Math.floor((used * scale) / elapsed);
}

/** Use in percent, not rounded: sorted by. */
function exactUsage(row: Row, withDead: boolean): number | null {
  const used = cpuTicks(row, withDead);
  const elapsed = elapsedTicks(row);
  if (used === null || elapsed === null) return null;
  return elapsed === 0 ? 0 : (used * 100) / elapsed;
}

function usageCell(text: (row: Row, view: View) => string | null): Cell {
  return {
    needs: cpuNeeds,
    value: (row) => exactUsage(row, false),
    text: (row, view) => text(row, view) ?? '-',
    json: (row, view) => {
      const permille = usage(row, view, 1000);
      return permille === null ? null : permille / 10;
    },
  };
}

const pcpu = usageCell((row, view) => {
  const permille = usage(row, view, 1000);
  if (permille === null) return null;
  return permille > 999 ? String(Math.floor(permille / 10)) : `${Math.floor(permille / 10)}.${permille % 10}`;
});
const processorUse = usageCell((row, view) => {
  const percent = usage(row, view, 100);
  return percent === null ? null : String(Math.min(99, percent)).padStart(2);
});
const permilleUse = usageCell((row, view) => {
  const permille = usage(row, view, 1000);
  return permille === null ? null : String(Math.min(999, permille)).padStart(3);
});

function utilization(withDead: boolean): Cell {
  return {
    needs: cpuNeeds,
    value: (row) => exactUsage(row, withDead),
    text: (row) => {
      const percent = exactUsage(row, withDead);
      if (percent === null) return '-';
      return (percent > 99 ? 99.999 : percent).toFixed(3);
    },
  };
}

function cpuSeconds(row: Row): number | null {
  const ticks = cpuTicks(row, false);
  return ticks === null ? null : Math.trunc(ticks / hertz);
}

const time: Cell = {
  needs: cpuNeeds,
  value: (row) => cpuTicks(row, false),
  text: (row) => {
    const seconds = cpuSeconds(row);
    if (seconds === null) return '-';
    if (seconds < 60) return `00:00:${two(seconds)}`;
    const { days, hours, minutes, rest } = split(seconds);
    return `${days > 0 ? `${days}-` : ''}${two(hours)}:${two(minutes)}:${two(rest)}`;
  },
  json: cpuSeconds,
};
const times: Cell = { ...time, text: (row) => String(cpuSeconds(row) ?? '-') };
const bsdtime: Cell = {
  ...time,
  text: (row, view) => {
    const ticks = cpuTicks(row, view.withDead);
    if (ticks === null) return '-';
    const seconds = Math.trunc(ticks / hertz);
    return `${String(Math.trunc(seconds / 60)).padStart(3)}:${two(seconds % 60)}`;
  },
};

const etime: Cell = {
  needs: ['start'],
  value: elapsedTicks,
  text: (row) => {
    const seconds = elapsedSeconds(row);
    if (seconds === null) return '-';
    const { days, hours, minutes, rest } = split(seconds);
    const before = `${days > 0 ? `${days}-` : ''}${days > 0 || hours > 0 ? `${two(hours)}:` : ''}`;
    return `${before}${two(minutes)}:${two(rest)}`;
  },
  json: elapsedSeconds,
};
const etimes: Cell = { ...etime, text: (row) => String(elapsedSeconds(row) ?? '-') };

function split(seconds: number): { days: number; hours: number; minutes: number; rest: number } {
  return {
    days: Math.trunc(seconds / daySeconds),
    hours: Math.trunc(seconds / 3600) % 24,
    minutes: Math.trunc(seconds / 60) % 60,
    rest: seconds % 60,
  };
}

/** Unix time of the start in whole seconds. */
function startSeconds(row: Row): number | null {
  const ticks = row.number('start');
  if (ticks === null) {
    return row.managed === undefined ? null : Math.floor(row.managed.startedAtMs / 1000);
  }
  const { bootSeconds, nowMs, uptimeSeconds } = row.table;
  return (bootSeconds ?? Math.floor(nowMs / 1000 - uptimeSeconds)) + Math.trunc(ticks / hertz);
}

/** Remembered texts of one column: many processes start in the same second, and local time is costly. */
const rememberedStarts = 4096;

function startCell(show: (start: Date, startSeconds: number, nowSeconds: number) => string): Cell {
  const texts = new Map<number, string>();
  let shownAt = Number.NaN;
  const textAt = (start: number, now: number): string => {
    if (now !== shownAt || texts.size > rememberedStarts) texts.clear();
    shownAt = now;
    const known = texts.get(start);
    if (known !== undefined) return known;
    const text = show(new Date(start * 1000), start, now);
    texts.set(start, text);
    return text;
  };
  return {
    needs: ['start'],
    // ticks are of one boot; across nodes the clock decides
    value: (row) => row.startedMs,
    text: (row) => {
      const start = startSeconds(row);
      return start === null ? '-' : textAt(start, Math.floor(row.table.nowMs / 1000));
    },
    json: (row) => {
      const start = startSeconds(row);
      return start === null ? null : new Date(start * 1000).toISOString();
    },
  };
}

const bsdstart = startCell((start, at, now) =>
  now - at > daySeconds ? `${month(start)} ${blank2(start.getDate())}` : ` ${clock(start)}`,
);
const stime = startCell((start, _at, now) => {
  const today = new Date(now * 1000);
  if (start.getFullYear() !== today.getFullYear()) return String(start.getFullYear());
  const sameDay = start.getMonth() === today.getMonth() && start.getDate() === today.getDate();
  return sameDay ? clock(start) : `${month(start)}${two(start.getDate())}`;
});
const start = startCell((when, at, now) =>
  at + daySeconds > now ? `${clock(when)}:${two(when.getSeconds())}` : `  ${month(when)} ${two(when.getDate())}`,
);
const lstart = startCell(
  (when) =>
    `${weekdays[when.getDay()] ?? ''} ${month(when)} ${blank2(when.getDate())} ${clock(when)}:${two(when.getSeconds())} ${when.getFullYear()}`,
);

function month(date: Date): string {
  return months[date.getMonth()] ?? '';
}

function clock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function blank2(value: number): string {
  return String(value).padStart(2);
}

export const timeColumns: readonly Column[] = [
  ...columns(pcpu, 'right', [
    ['%cpu', '%CPU', 4],
    ['pcpu', '%CPU', 4],
  ]),
  ...columns(processorUse, 'right', [
    ['c', 'C', 2],
    ['util', 'C', 2],
  ]),
  ...columns(permilleUse, 'right', [['cp', 'CP', 3]]),
  ...columns(utilization(false), 'right', [['cuu', '%CUU', 6]]),
  ...columns(utilization(true), 'right', [['cuc', '%CUC', 7]]),
  ...columns(time, 'right', [
    ['time', 'TIME', 8],
    ['cputime', 'TIME', 8],
    ['atime', 'TIME', 8],
  ]),
  ...columns(times, 'right', [
    ['times', 'TIME', 8],
    ['cputimes', 'TIME', 8],
  ]),
  ...columns(bsdtime, 'right', [['bsdtime', 'TIME', 6]]),
  ...columns(etime, 'right', [['etime', 'ELAPSED', 11]]),
  ...columns(etimes, 'right', [['etimes', 'ELAPSED', 7]]),
  ...columns(bsdstart, 'right', [['bsdstart', 'START', 6]]),
  ...columns(stime, 'right', [
    ['stime', 'STIME', 5],
    ['start_time', 'START', 5],
  ]),
  ...columns(start, 'right', [['start', 'STARTED', 8]]),
  ...columns(lstart, 'right', [['lstart', 'STARTED', 24]]),
  ...columns(numberCell('utime'), 'right', [['utime', 'UTIME', 6]]),
  ...columns(numberCell('cutime'), 'right', [['cutime', 'CUTIME', 6]]),
  ...columns(numberCell('cstime'), 'right', [['cstime', 'CSTIME', 6]]),
];
