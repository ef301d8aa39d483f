/** A terminal's screen at an offset, in the file `checkpoint` of its directory: a line of JSON, then the bytes that restore it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

const headSchema = v.object({
  offset: v.pipe(v.number(), v.minValue(0)),
  cols: v.pipe(v.number(), v.minValue(1), v.maxValue(1000)),
  rows: v.pipe(v.number(), v.minValue(1), v.maxValue(1000)),
  title: v.string(),
  partial: v.boolean(),
});

export type Checkpoint = v.InferOutput<typeof headSchema> & { readonly data: string };

const newline = 0x0a;

/** Undefined where there is none, or none that can be understood. */
export function readCheckpoint(directory: string): Checkpoint | undefined {
  try {
    const bytes = readFileSync(join(directory, 'checkpoint'));
    const end = bytes.indexOf(newline);
    const head = v.safeParse(headSchema, JSON.parse(bytes.toString('utf8', 0, end)));
    return head.success ? { ...head.output, data: bytes.toString('utf8', end + 1) } : undefined;
  } catch {
    // None was written, or it is damaged: the log alone tells then.
    return undefined;
  }
}

/** By rename: a reader finds the old one or the new one. */
export function writeCheckpoint(directory: string, { data, ...head }: Checkpoint): void {
  const path = join(directory, 'checkpoint');
  writeFileSync(`${path}.new`, `${JSON.stringify(head)}\n${data}`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
