/** When this machine was booted, and how long ago. */
import { readAscii } from './read-file.ts';

/** Seconds since boot. */
export function uptimeSeconds(): number {
  return Number.parseFloat(readAscii('/proc/uptime') ?? '0');
}

let estimateMs = Number.NaN;
let btime = 0;

/**
 * Unix time of the boot in whole seconds, as `btime` of /proc/stat has it. That file is long on large machines, so it is read again only
 * where the clock was set: where the time of boot that now and uptime give has moved.
 */
export function bootSeconds(nowMs: number, uptime: number): number {
  const estimate = nowMs - uptime * 1000;
  if (Math.abs(estimate - estimateMs) < 50) return btime;
  const line = /^btime (\d+)/m.exec(readAscii('/proc/stat', 4 * 1024 * 1024) ?? '');
  btime = line === null ? Math.floor(estimate / 1000) : Number(line[1]);
  estimateMs = estimate;
  return btime;
}
