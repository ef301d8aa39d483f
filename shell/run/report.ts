/** What `run`, `attach` and `logs` say on stderr about a stream: that it is lost, has gaps, or how it ended. */
import type { OutputGap, ProcessStreamOptions, StreamEnd } from '../../src/cluster/process-stream/types.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import { progressAfterMs } from '../../src/protocol/limits.ts';
import type { CommandContext } from '../command.ts';
import { escapeLines } from '../escape.ts';
import { brokenPipeStatus, describeWriteError, isReaderGone } from '../output/write-errors.ts';
import { describeExit, exitStatusOf, linkFailedStatus } from './exit-status.ts';
import { formatDuration } from './values.ts';

export interface Reporter {
  say(text: string): void;
  /** A line that stands beside the output, as it is. */
  note(text: string): void;
  /** For a stream of the process `gpid` on a node. */
  watch(node: string): Required<Pick<ProcessStreamOptions, 'onLost' | 'onOpened' | 'onGap'>>;
}

export function makeReporter(context: Pick<CommandContext, 'stderr'>, command: string): Reporter {
  const say = (text: string): void => {
    context.stderr.write(`nsh ${command}: ${escapeLines(text)}\n`);
  };
  return {
    say,
    note: (text) => {
      context.stderr.write(`${escapeLines(text)}\n`);
    },
    watch(node) {
      let timer: NodeJS.Timeout | undefined;
      return {
        // A connection that is back at once is not worth a word.
        onLost: () => {
          timer ??= setTimeout(() => say(`${node}: the connection is lost; connecting again`), progressAfterMs).unref();
        },
        onOpened: () => {
          clearTimeout(timer);
          timer = undefined;
        },
        onGap: (gap) => say(`${node}: ${describeGap(gap)}`),
      };
    },
  };
}

export function describeGap({ stream, from, to }: OutputGap): string {
  return `${to - from} bytes of ${stream} are missing: they are no longer kept`;
}

/** The exit status of nsh for a stream that ended; says what has to be said. */
export function finishStatus(end: StreamEnd, node: string, gpid: number, reporter: Reporter): number {
  switch (end.kind) {
    case 'exit':
      if (end.status.timedOutMs !== undefined)
        reporter.say(`${gpid}: ended by --timeout after ${formatDuration(end.status.timedOutMs)}`);
      if (end.status.code === null && end.status.signal === null)
        reporter.say(`${node}: process ${gpid} ${describeExit(end.status, gpid)}`);
      return exitStatusOf(end.status);
    case 'outputClosed':
      // What SIGPIPE would have made of us: the reader has enough.
      if (isReaderGone(end.error)) return brokenPipeStatus;
      reporter.say(`${end.stream}: ${describeWriteError(end.error)}`);
      return 1;
    case 'detached':
    case 'outputEnd':
  }
  return 0;
}

/** The same for whoever started the process: that its exit status is not known is a failed link, whatever the reason. */
export function foregroundFailure(error: unknown, node: string, gpid: number): NshError {
  const known = streamFailure(error, node, gpid);
  if (known.exitStatus === linkFailedStatus) return known;
  return new NshError('linkLost', known.message, { cause: known });
}

/** The failure of a stream, with what the person can do about it. */
export function streamFailure(error: unknown, node: string, gpid: number): NshError {
  const known = toNshError(error);
  const message = known.message.startsWith(`${node}:`) ? known.message : `${node}: ${known.message}`;
  if (known.exitStatus !== linkFailedStatus) return new NshError(known.code, message, { cause: known });
  return new NshError(known.code, `${message}; process ${gpid} may still be running: nsh attach ${gpid}`, {
    cause: known,
    ...(known.data === undefined ? {} : { data: known.data }),
  });
}
