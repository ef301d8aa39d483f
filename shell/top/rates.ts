/**
 * How much processor time each process has used between two samples of its node. The node's own clock counts, not the time at which
 * its answer came: a slow link changes nothing. Pure.
 */
import type { ProcessTable } from '../../src/protocol/process.ts';
import type { Row } from '../ps/row.ts';

/** Processor time of every process at one moment. */
export interface TickReading {
  readonly boot: string;
  readonly uptimeSeconds: number;
  readonly byPid: ReadonlyMap<number, { readonly start: number; readonly ticks: number }>;
}

const ticksPerSecond = 100;

export function readTicks(table: Pick<ProcessTable, 'boot' | 'uptimeSeconds'>, rows: readonly Row[]): TickReading {
  const byPid = new Map<number, { start: number; ticks: number }>();
  for (const row of rows) {
    byPid.set(row.pid, { start: row.number('start') ?? 0, ticks: ticksOf(row) });
  }
  return { boot: table.boot, uptimeSeconds: table.uptimeSeconds, byPid };
}

/** By local PID, in percent of one processor; never more than the node has. */
export function tickRates(
  before: TickReading | undefined,
  now: TickReading,
  { cpus }: Pick<ProcessTable, 'cpus'>,
): Map<number, number> {
  const most = Math.max(1, cpus) * 100;
  const isNext = before?.boot === now.boot && now.uptimeSeconds > before.uptimeSeconds;
  const rates = new Map<number, number>();
  for (const [pid, { start, ticks }] of now.byPid) {
    const age = now.uptimeSeconds - start / ticksPerSecond;
    const earlier = isNext ? before.byPid.get(pid) : undefined;
    const wasThere = earlier?.start === start;
    const used = wasThere ? Math.max(0, ticks - earlier.ticks) : ticks;
    const interval = isNext ? now.uptimeSeconds - before.uptimeSeconds : 0;
    const seconds = Math.max(wasThere ? interval : Math.max(interval, age), 1 / ticksPerSecond);
    rates.set(pid, Math.min(most, (used / ticksPerSecond / seconds) * 100));
  }
  return rates;
}

/** Processor time so far, 1/100 s. */
export function ticksOf(row: Row): number {
  return (row.number('utime') ?? 0) + (row.number('stime') ?? 0);
}
