/**
 * The directory of one managed process, `processes/PID-START-BOOT8/`, readable with plain tools:
 *
 *   record.json   what was started, by whom, under which shim; never environment values
 *   exit.json     how it ended, and what is kept of its output; its absence means that it runs, or that its shim was killed
 *   stdout*, stderr* or output*   kept output (log-segments.ts)
 *   sizes         a terminal's sizes: lines `OFFSET COLS ROWS`
 *   order         in which order stdout and stderr came (order-log.ts)
 *   checkpoint    a terminal's screen at an offset (agent/screen)
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { exitStatusSchema, keptSchema, managedProcessSchema } from '../../src/protocol/process.ts';

/** What does not change while the process lives. */
export const recordSchema = v.object({
  ...v.omit(managedProcessSchema, ['exit', 'out', 'err', 'size', 'clients', 'logError']).entries,
  /** Size at the start, with a terminal. */
  size: v.optional(v.object({ cols: v.number(), rows: v.number() })),
  /** The shim's own identity: whether it lives tells whether the process is managed. */
  shimProcess: v.object({ pid: v.number(), start: v.number() }),
});
export type ProcessRecord = v.InferOutput<typeof recordSchema>;

export const endSchema = v.object({
  exit: exitStatusSchema,
  out: keptSchema,
  err: v.optional(keptSchema),
  size: v.optional(v.object({ cols: v.number(), rows: v.number() })),
  logError: v.optional(v.string()),
});
export type ProcessEnd = v.InferOutput<typeof endSchema>;

/** PID, start ticks and the beginning of the boot identity: unique on a machine, and across its boots. */
export function directoryName(process: {
  readonly pid: number;
  readonly start: number;
  readonly boot: string;
}): string {
  return `${process.pid}-${process.start}-${process.boot.slice(0, 8)}`;
}

export function writeRecord(directory: string, record: ProcessRecord): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'record.json'), `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

/** Over an older one by rename, so that a reader finds the old one or the new one; half of a first one counts as none. */
export function writeEnd(directory: string, end: ProcessEnd): void {
  const path = join(directory, 'exit.json');
  const text = `${JSON.stringify(end)}\n`;
  if (!existsSync(path)) {
    writeFileSync(path, text, { mode: 0o600 });
    return;
  }
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Undefined where there is none, or none that can be understood. */
export function readRecord(directory: string): ProcessRecord | undefined {
  return readChecked(join(directory, 'record.json'), recordSchema);
}

export function readEnd(directory: string): ProcessEnd | undefined {
  return readChecked(join(directory, 'exit.json'), endSchema);
}

function readChecked<S extends v.GenericSchema>(path: string, schema: S): v.InferOutput<S> | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    // Not there, or not JSON: no record either way.
    return undefined;
  }
}

/** When anything in the directory was last written: the best guess at the end of a process whose shim was killed. */
export function lastChangeMs(directory: string): number {
  const names = ['stdout', 'stderr', 'output', 'record.json', '.'];
  const times = names.map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return Math.round(Math.max(...times));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
