/** What one stage of a pipeline writes, into the stdin of the next one, wherever that runs. */
import type { Readable } from 'node:stream';
import { openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import type { ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import { pump } from '../session/streams.ts';

/**
 * Ends the source where nobody reads it any more: its writer gets SIGPIPE. A link that is lost is the reader's to tell, on its own stream.
 * @param target who reads, as its own stream has it. @param retryForMs so long a lost link is waited for.
 */
export function feedProcess(
  source: Readable,
  target: Pick<ProcessStreamOptions, 'dial' | 'shortcut' | 'process'>,
  retryForMs: number,
): void {
  const { dial, shortcut, process } = target;
  const stop = (): void => {
    source.destroy();
  };
  const feed = openProcessStream({
    dial,
    process,
    role: 'feed',
    from: { stdout: 'newest' },
    retryForMs,
    onInputClosed: stop,
    ...(shortcut === undefined ? {} : { shortcut }),
  });
  feed.ended.then(stop, stop);
  void pump(source, feed.stdin).then(() => {
    feed.stdin.end();
  });
}
