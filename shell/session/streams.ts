/** Where a step reads and writes, and the plumbing between stages. */
import { PassThrough, type Readable, Writable } from 'node:stream';
import type { InputSource, OutputTarget } from './runner.ts';

export interface StepStreams {
  readonly stdin: InputSource;
  readonly stdout: OutputTarget;
  readonly stderr: OutputTarget;
}

/** A pipe between two stages: what one writes the other reads, and no more than a buffer ahead. */
export function openPipe(): PassThrough {
  const pipe = new PassThrough();
  pipe.setMaxListeners(0);
  // Its reader may go first; the writer learns of it by the broken pipe.
  pipe.on('error', () => undefined);
  return pipe;
}

/** Passes on everything, and no faster than it is taken. Where the taker has gone the source is closed, so that its writer gets SIGPIPE. */
export async function pump(from: Readable, to: Writable): Promise<void> {
  const stop = (): void => {
    from.destroy();
  };
  to.once('close', stop);
  try {
    if (to.destroyed) stop();
    for await (const chunk of from) {
      if (to.destroyed || to.writableEnded) break;
      if (!to.write(chunk)) await drained(to);
    }
  } catch {
    // Broken off on either side; whoever wrote or read there tells how it ended.
  } finally {
    to.off('close', stop);
  }
}

async function drained(to: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      to.off('drain', done);
      to.off('close', done);
      resolve();
    };
    to.on('drain', done);
    to.on('close', done);
  });
}

/** Everything that was written, as a byte text. */
export function collector(maxBytes: number): { readonly target: Writable; text(): string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const target = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      done();
    },
  });
  return { target, text: () => Buffer.concat(chunks).toString('latin1') };
}

/** One copy of the input for each reader; the slowest sets the pace, those that have gone no longer count. */
export function copyTo(source: Readable, count: number): PassThrough[] {
  const copies = Array.from({ length: count }, openPipe);
  source.setMaxListeners(0);
  for (const copy of copies) {
    source.pipe(copy);
    copy.once('close', () => {
      source.unpipe(copy);
      if (copies.every(({ destroyed }) => destroyed)) source.destroy();
    });
  }
  return copies;
}

/** A way into a stream that can be ended without ending it. */
export function openBranch(target: Writable): Writable {
  const branch = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (target.destroyed || target.writableEnded) branch.destroy();
      else if (target.write(chunk)) done();
      else void drained(target).then(() => done());
    },
  });
  const close = (): void => {
    branch.destroy();
  };
  target.once('close', close);
  branch.once('close', () => target.off('close', close));
  return branch;
}

/** A stream to write to in this process; what it is given may stay open after it. */
export function writerOf(target: OutputTarget, own: NodeJS.WriteStream): Writable {
  if (target === 'inherit') return own;
  return target instanceof Writable ? target : nullWriter();
}

function nullWriter(): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
}
