/** An ended process as its directory tells of it: whoever's it was, any shim serves it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamNumber } from '../../src/protocol/frames.ts';
import type { ExitStatus, Kept, ManagedProcess, ShimRef } from '../../src/protocol/process.ts';
import { exitNow } from '../lost-process.ts';
import { keptRange, listSegments, streamNames, type Segment } from './log-segments.ts';
import { parseOrder, type OrderLog } from './order-log.ts';
import { readSegments, type OutputView } from './output-view.ts';
import type { ProcessEnd, ProcessRecord } from './record-files.ts';

export class EndedProcess {
  readonly directory: string;
  readonly record: ProcessRecord;
  readonly end: ProcessEnd;

  constructor(directory: string, record: ProcessRecord, end: ProcessEnd) {
    this.directory = directory;
    this.record = record;
    this.end = end;
  }

  get exit(): ExitStatus {
    return exitNow(this.record, this.end.exit);
  }

  managed(shim: ShimRef): ManagedProcess {
    const { shimProcess: _, ...record } = this.record;
    return { ...record, ...this.end, exit: this.exit, clients: 0, shim };
  }

  /** Opens no file: segments are read as they are sent. */
  streams(): OutputView[] {
    return streamNames(this.record).map((name, index) => {
      const kept = index === 0 ? this.end.out : (this.end.err ?? { base: 0, end: 0, closed: true });
      return new EndedOutput(index === 0 ? 1 : 2, kept, listSegments(this.directory, name));
    });
  }

  order(): OrderLog {
    try {
      return parseOrder(readFileSync(join(this.directory, 'order'), 'utf8'));
    } catch {
      // One stream alone was written to, or the disk was full: there is no order to tell.
      return parseOrder('');
    }
  }
}

class EndedOutput implements OutputView {
  readonly number: StreamNumber;
  readonly closed = true;
  readonly end: number;
  readonly #segments: readonly Segment[];
  readonly #range: { base: number; end: number };

  constructor(number: StreamNumber, kept: Kept, segments: readonly Segment[]) {
    this.number = number;
    this.#segments = segments;
    this.#range = segments.length === 0 ? { base: kept.end, end: kept.end } : keptRange(segments);
    this.end = Math.max(kept.end, this.#range.end);
  }

  get base(): number {
    return this.#range.base;
  }

  at(): undefined {
    return undefined;
  }

  nextReadable(offset: number): number {
    const { base, end } = this.#range;
    if (offset < base) return base;
    return offset < end ? offset : this.end;
  }

  readLog(offset: number, max: number): Promise<Buffer> {
    return readSegments(this.#segments, offset, max);
  }
}
