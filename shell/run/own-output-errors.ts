/**
 * A reader that has enough ends most commands at once (EPIPE). One that stands for a process elsewhere must first tell its shim, or
 * that process would learn of it only after the grace time of a lost link.
 */
import type { Writable } from 'node:stream';
import type { CommandContext } from '../command.ts';

/** From now on a failed write is known only to whoever made it. @returns what gives it back. */
export function ownOutputErrors({ stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'>): () => void {
  const giveBack = [own(stdout), own(stderr)];
  return () => {
    for (const each of giveBack) each();
  };
}

function own(stream: Writable): () => void {
  const others = stream.listeners('error') as ((error: Error) => void)[];
  for (const listener of others) stream.off('error', listener);
  stream.on('error', handledByWriter);
  return () => {
    // A stream that has failed reports nothing more; its late events still have to find a listener.
    if (stream.errored !== null) return;
    stream.off('error', handledByWriter);
    for (const listener of others) stream.on('error', listener);
  };
}

function handledByWriter(): void {
  // The callback of the write has it.
}
