/**
 * Where the last lines of kept output begin. The log is read backwards in growing steps, so that the last ten lines of a large one
 * cost little. Lines of stdout and stderr are counted together, in the order in which the shim hands them out.
 */
import { openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { OutputName, ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import type { OpenedFrame } from '../../src/protocol/frames.ts';

const firstStepBytes = 64 * 1024;
const stepGrowth = 8;

export type Reading = Pick<ProcessStreamOptions, 'dial' | 'process' | 'role' | 'signal'>;

/** @returns the offsets at which the last `lines` lines of the outputs that are wanted begin. */
export async function tailStart(
  reading: Reading,
  wants: Readonly<Record<OutputName, boolean>>,
  lines: number,
): Promise<{ stdout: number; stderr: number }> {
  const { stdout, stderr } = await askWhatIsKept(reading);
  const ends = { stdout: stdout.end, stderr: stderr?.end ?? 0 };
  const bases = { stdout: stdout.base, stderr: stderr?.base ?? 0 };
  if (lines === 0) return ends;
  for (let step = Math.max(firstStepBytes, lines * 128); ; step *= stepGrowth) {
    const from = {
      stdout: Math.max(bases.stdout, ends.stdout - step),
      stderr: Math.max(bases.stderr, ends.stderr - step),
    };
    const counter = new LineStarts(lines, from);
    await readTo(reading, from, ends, wants, counter);
    // A stream that is cut short at its beginning must bring as many lines itself, or older ones of it might be missing.
    const cut = (['stdout', 'stderr'] as const).filter((name) => wants[name] && from[name] > bases[name]);
    if (cut.every((name) => counter.count(name) >= lines)) return counter.starts(ends, wants);
  }
}

/** The shim's own word: a record may be older than the last output. */
async function askWhatIsKept(reading: Reading): Promise<OpenedFrame> {
  const stream = openProcessStream({ ...reading, from: { stdout: 'newest', stderr: 'newest' }, follow: false });
  const opened = await stream.opened;
  stream.detach(false);
  return opened;
}

async function readTo(
  reading: Reading,
  from: { readonly stdout: number; readonly stderr: number },
  ends: Readonly<Record<OutputName, number>>,
  wants: Readonly<Record<OutputName, boolean>>,
  counter: LineStarts,
): Promise<void> {
  const sink = (name: OutputName): OutputSink => {
    let offset = from[name];
    return {
      write(bytes, taken) {
        if (wants[name]) counter.see(name, bytes.subarray(0, Math.max(0, ends[name] - offset)));
        offset += bytes.length;
        taken();
      },
    };
  };
  const stream = openProcessStream({ ...reading, from, follow: false, stdout: sink('stdout'), stderr: sink('stderr') });
  await stream.ended;
}

interface LineStart {
  readonly stream: OutputName;
  readonly offset: number;
}

/** The offsets of the last so many lines, in the order in which they came. */
export class LineStarts {
  readonly #lines: number;
  readonly #position: Record<OutputName, number>;
  readonly #atStart: Record<OutputName, boolean> = { stdout: true, stderr: true };
  readonly #counts: Record<OutputName, number> = { stdout: 0, stderr: 0 };
  #starts: LineStart[] = [];

  constructor(lines: number, from: Readonly<Record<OutputName, number>>) {
    this.#lines = lines;
    this.#position = { ...from };
  }

  see(stream: OutputName, bytes: Buffer): void {
    const base = this.#position[stream];
    if (bytes.length > 0 && this.#atStart[stream]) this.#add(stream, base);
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
      this.#counts[stream]++;
      if (at + 1 < bytes.length) this.#add(stream, base + at + 1);
    }
    if (bytes.length > 0) this.#atStart[stream] = bytes.at(-1) === 0x0a;
    this.#position[stream] = base + bytes.length;
  }

  /** Line feeds seen in one stream. */
  count(stream: OutputName): number {
    return this.#counts[stream] - (this.#atStart[stream] ? 1 : 0);
  }

  /** Where each stream must begin so that these lines are shown; at its end where none of them is of it. */
  starts(
    ends: Readonly<Record<OutputName, number>>,
    wants: Readonly<Record<OutputName, boolean>>,
  ): { stdout: number; stderr: number } {
    const last = this.#starts.slice(-this.#lines);
    const first = (stream: OutputName): number =>
      (wants[stream] ? last.find((start) => start.stream === stream)?.offset : undefined) ?? ends[stream];
    return { stdout: first('stdout'), stderr: first('stderr') };
  }

  #add(stream: OutputName, offset: number): void {
    this.#starts.push({ stream, offset });
    if (this.#starts.length > 2 * this.#lines + 1024) this.#starts = this.#starts.slice(-this.#lines);
  }
}
