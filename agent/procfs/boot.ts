/** Facts of the machine's boot: which one it is, when it was, and how long ago. */
import { readAscii } from './read-file.ts';
import { StatLine, statField } from './stat-line.ts';
import { readBytes } from './read-file.ts';

/** Start ticks of a process: with the boot identity they tell one incarnation of a PID from the next. Undefined where there is none. */
export function readStart(pid: number): number | undefined {
  const bytes = readBytes(`/proc/${pid}/stat`, 4096);
  if (bytes === undefined) return undefined;
  const line = new StatLine();
  return line.parse(bytes.buffer, bytes.length) ? line.fields[statField.start] : undefined;
}

let identity: string | undefined;

/** `BOOTID-TICKS`: the kernel's boot_id and the start ticks of PID 1, so that the boots of a container differ too. */
export function bootIdentity(): string {
  identity ??= `${readAscii('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown'}-${readStart(1) ?? 0}`;
  return identity;
}

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
