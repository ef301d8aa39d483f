/**
 * The owner of failed writes to nsh's own stdout and stderr. Most commands end at once: a reader that has enough (`nsh ps | head`)
 * ends them as SIGPIPE would. One that stands for a process elsewhere must first tell its shim, or that process would learn of it
 * only after the grace time of a lost link: it takes the errors over for that time.
 */
import type { Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import type { CommandContext } from '../command.ts';

/** 128 + SIGPIPE. */
export const brokenPipeStatus = 141;

type Streams = Pick<CommandContext, 'stdout' | 'stderr'>;

/** The reader has enough. In a pipeline of a session its stream is destroyed, where a program's own is a broken pipe. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

/** From now on a failed write ends this program, unless a command owns the errors. */
export function endOnWriteErrors({ stdout, stderr }: Streams): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(brokenPipeStatus);
    stderr.write(`nsh: ${describeWriteError(error)}\n`);
    process.exit(1);
  });
  stderr.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? brokenPipeStatus : 1);
  });
}

/** From now on a failed write is known only to whoever made it. @returns what gives it back. */
export function ownWriteErrors({ stdout, stderr }: Streams): () => void {
  const giveBack = [own(stdout), own(stderr)];
  return () => {
    for (const each of giveBack) each();
  };
}

/** `write error: No space left on device`, as GNU's programs say it. */
export function describeWriteError(error: NodeJS.ErrnoException): string {
  const [, text = error.message] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
  return `write error: ${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
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
