/** nsh's own stdin to the stdin of one or more processes, at the pace of the slowest that still reads. */
import type { Readable, Writable } from 'node:stream';

/** @returns what ends the feeding. */
export function feedStdin(stdin: Readable, targets: readonly Writable[]): () => void {
  let stopped = false;
  const onData = (bytes: Buffer): void => {
    const full = targets.filter((target) => !target.writableEnded && !target.write(bytes));
    if (full.length === 0) return;
    stdin.pause();
    let waiting = full.length;
    for (const target of full) {
      target.once('drain', () => {
        waiting--;
        if (waiting === 0 && !stopped) stdin.resume();
      });
    }
  };
  const onEnd = (): void => {
    for (const target of targets) if (!target.writableEnded) target.end();
  };
  stdin.on('data', onData);
  stdin.once('end', onEnd);
  // A stdin that cannot be read (a directory, a terminal that has gone) has nothing to say.
  stdin.on('error', onEnd);
  if (stdin.readableEnded || stdin.destroyed) onEnd();
  return () => {
    stopped = true;
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdin.pause();
  };
}
