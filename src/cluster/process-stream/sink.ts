/**
 * Where the output of a process goes. A sink says when it has really taken bytes: that, and nothing else, gives the shim credit
 * for more, so a slow consumer slows the process instead of filling memory.
 */
import { Readable, type Writable } from 'node:stream';

export interface OutputSink {
  /**
   * Takes bytes in order; they may be kept without being copied. `taken` is called once, when there is room for more, with the
   * error where the sink can take nothing any more.
   */
  write(bytes: Buffer, taken: (error?: Error | null) => void): void;
  /** No more bytes follow; `done` is called when what was held back has been written. */
  end?(done: () => void): void;
}

/** Bytes go into a Writable as they are. It is not ended: several processes may write to one. */
export function writableSink(writable: Writable, options: { readonly end?: boolean } = {}): OutputSink {
  // A failed write is reported to its callback; the event is the same failure again, and would be thrown without a listener.
  if (!writable.listeners('error').includes(ignoreError)) writable.on('error', ignoreError);
  const pending = pendingOf(writable);
  const write: OutputSink['write'] = (bytes, taken) => {
    pending.add(taken);
    writable.write(bytes, (error) => {
      if (pending.delete(taken)) taken(error);
    });
  };
  if (options.end !== true) return { write };
  return {
    write,
    end(done) {
      writable.end();
      done();
    },
  };
}

type Taken = (error?: Error | null) => void;

/** Writes under way, for each Writable once: one that is destroyed forgets the callback of the write that it was at. */
const pendingWrites = new WeakMap<Writable, Set<Taken>>();

function pendingOf(writable: Writable): Set<Taken> {
  const known = pendingWrites.get(writable);
  if (known !== undefined) return known;
  const pending = new Set<Taken>();
  pendingWrites.set(writable, pending);
  writable.once('close', () => {
    const gone = new Error('the reader of the output has gone');
    for (const taken of pending) if (pending.delete(taken)) taken(gone);
  });
  return pending;
}

function ignoreError(): void {
  // Reported to the callback of the write that failed.
}

/** Bytes are read from a Readable; credit is given as the reader consumes them. */
export function readableSink(): { readonly sink: OutputSink; readonly readable: Readable } {
  let waiting: (() => void)[] = [];
  const release = (): void => {
    const ready = waiting;
    waiting = [];
    for (const taken of ready) taken();
  };
  const readable = new Readable({
    read: release,
    destroy(error, callback) {
      release();
      callback(error);
    },
  });
  const sink: OutputSink = {
    write(bytes, taken) {
      if (readable.destroyed) taken(new Error('the reader of the output has gone'));
      else if (readable.push(bytes)) taken();
      else waiting.push(taken);
    },
    end(done) {
      readable.push(null);
      done();
    },
  };
  return { sink, readable };
}

/** Bytes are dropped. */
export const discardSink: OutputSink = { write: (_bytes, taken) => taken() };

/** Text is changed on its way, for example given a prefix. `last` is asked for what is left at the end. */
export function mappedSink(
  target: OutputSink,
  map: (bytes: Buffer) => Buffer,
  last: () => Buffer = () => Buffer.alloc(0),
): OutputSink {
  return {
    write(bytes, taken) {
      const mapped = map(bytes);
      if (mapped.length === 0) taken();
      else target.write(mapped, taken);
    },
    end(done) {
      const rest = last();
      const finish = (): void => (target.end === undefined ? done() : target.end(done));
      if (rest.length > 0) target.write(rest, finish);
      else finish();
    },
  };
}
