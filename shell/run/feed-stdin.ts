/** nsh's own stdin to the stdin of one or more processes, at the pace of the slowest that still reads. */
import { openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { ReadStream } from 'node:tty';

export interface FeedOptions {
  /** What the end of stdin means to the processes: the end of theirs (default), or nothing. */
  readonly passesEnd?: boolean;
}

/** @returns what ends the feeding. */
export function feedStdin(
  stdin: Readable,
  targets: readonly Writable[],
  { passesEnd = true }: FeedOptions = {},
): () => void {
  let source: Readable = stdin;
  let stopped = false;
  let isOver = false;
  const onData = (bytes: Buffer): void => {
    const full = targets.filter((target) => !target.writableEnded && !target.write(bytes));
    if (full.length === 0) return;
    source.pause();
    let waiting = full.length;
    for (const target of full) {
      target.once('drain', () => {
        waiting--;
        if (waiting === 0 && !stopped) source.resume();
      });
    }
  };
  let listener = onData;
  const onEnd = (): void => {
    if (passesEnd) for (const target of targets) if (!target.writableEnded) target.end();
  };
  /** Part of it may have been typed while the terminal was raw. */
  const onTyped = (bytes: Buffer): void => {
    const end = bytes.indexOf(endOfFileKey);
    const text = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
    for (let at = text.indexOf(enter); at !== -1; at = text.indexOf(enter, at)) text[at] = newline;
    if (text.length > 0) onData(text);
    if (end === -1) return;
    isOver = true;
    source.pause();
    onEnd();
  };
  const begin = (from: Readable, take = onData): void => {
    source = from;
    source.on('data', take);
    listener = take;
    source.once('end', onEnd);
    // A stdin that cannot be read (a directory, a terminal that has gone) has nothing to say.
    source.on('error', onEnd);
    if (source.readableEnded || source.destroyed) onEnd();
  };
  if (stdin instanceof ReadStream)
    readEarly(stdin, (early) => {
      if (stopped) return;
      onTyped(early);
      if (!isOver) begin(openAgain(stdin) ?? stdin, onTyped);
    });
  else begin(stdin);
  return () => {
    stopped = true;
    source.off('data', listener);
    source.off('end', onEnd);
    source.pause();
    if (source !== stdin) source.destroy();
  };
}

const enter = 0x0d;
const newline = 0x0a;
const endOfFileKey = 0x04;

/** What a session has read of its terminal already, before this; nothing more is read. */
function readEarly(stdin: ReadStream, take: (bytes: Buffer) => void): void {
  const chunks: Buffer[] = [];
  const onData = (bytes: Buffer): void => void chunks.push(bytes);
  stdin.on('data', onData);
  stdin.resume();
  // What is there flows in the tick that resume() has asked for; the terminal itself is looked at later.
  process.nextTick(() => {
    stdin.off('data', onData);
    stdin.pause();
    take(Buffer.concat(chunks));
  });
}

/**
 * A terminal is read through a descriptor of its own: an end of file typed there (Ctrl-D) is the end of this reading, and a session reads on.
 * Undefined: it may not be opened again, as after su(1).
 */
function openAgain(stdin: ReadStream & { readonly fd?: number }): ReadStream | undefined {
  const { fd } = stdin;
  if (fd === undefined) return undefined;
  try {
    return new ReadStream(openSync(`/proc/self/fd/${fd}`, 'r'));
  } catch {
    return undefined;
  }
}
