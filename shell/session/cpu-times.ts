/** CPU times: what `times` of a far bash tells, and what this process and its children have taken. */
import { readFileSync } from 'node:fs';
import type { ByteText } from '../language/byte-text.ts';

export interface CpuTimes {
  readonly userMs: number;
  readonly systemMs: number;
}

export const noCpu: CpuTimes = { userMs: 0, systemMs: 0 };

/** What `times` prints: user and system time of the shell, and below those of its children. */
export function readTimes(text: ByteText): CpuTimes {
  const parts =
    /^(\d{1,6}m\d\d?[.,]\d{3})s (\d{1,6}m\d\d?[.,]\d{3})s\n(\d{1,6}m\d\d?[.,]\d{3})s (\d{1,6}m\d\d?[.,]\d{3})s\n$/.exec(
      text,
    );
  if (parts === null) return noCpu;
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = parts.slice(1).map(readMs);
  return { userMs: user + childUser, systemMs: system + childSystem };
}

function readMs(text: string): number {
  const [minutes = '', seconds = ''] = text.split('m');
  return Math.round((Number(minutes) * 60 + Number(seconds.replace(',', '.'))) * 1000);
}

/** Linux counts in hundredths of a second (USER_HZ) whatever the kernel's own clock is. */
const tickMs = 10;

/** Of this process, and of its children that have ended. */
export function ownCpu(): CpuTimes {
  const { user, system } = process.cpuUsage();
  const children = childTicks();
  return { userMs: user / 1000 + children.user * tickMs, systemMs: system / 1000 + children.system * tickMs };
}

/** proc(5): cutime and cstime, the sixteenth and seventeenth field; the second ends in the last `)`. */
function childTicks(): { user: number; system: number } {
  let text: string;
  try {
    text = readFileSync('/proc/self/stat', 'latin1');
  } catch {
    // No /proc: children count for nothing.
    return { user: 0, system: 0 };
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[13]), system: Number(fields[14]) };
}

export function addCpu(a: CpuTimes, b: CpuTimes): CpuTimes {
  return { userMs: a.userMs + b.userMs, systemMs: a.systemMs + b.systemMs };
}

export function cpuSince(before: CpuTimes, now: CpuTimes): CpuTimes {
  return { userMs: Math.max(0, now.userMs - before.userMs), systemMs: Math.max(0, now.systemMs - before.systemMs) };
}
