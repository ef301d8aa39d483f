/** `nsh logs`: the kept output of managed processes, running or ended; with `-f` also what follows. */
import { writableSink, type OutputSink } from '../../src/cluster/process-stream/sink.ts';
import { isGroupName, parseReplicaName } from '../../src/policy/supervision/identity.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { readLog, type LogWanted } from '../logs/read-log.ts';
import { findManaged } from '../run/find-managed.ts';
import { finishStatus, makeReporter } from '../run/report.ts';
import { signalStatus } from '../run/exit-status.ts';
import { parseCount } from '../run/values.ts';
import { signalOf } from '../terminal/hand-over.ts';
import { ModeTracker } from '../terminal/mode-tracker.ts';

const follow: OptionSpec = {
  short: 'f',
  long: 'follow',
  summary: 'go on with what is said, until the process ends; of a group, until it is stopped',
};
const tail: OptionSpec = { short: 'n', long: 'tail', argument: 'LINES', summary: 'begin with the last LINES lines' };
const onlyStdout: OptionSpec = { long: 'stdout', summary: 'stdout only' };
const onlyStderr: OptionSpec = { long: 'stderr', summary: 'stderr only' };
const sinceOffset: OptionSpec = {
  long: 'since-offset',
  argument: 'BYTES',
  summary: 'begin at this byte of the output',
};

export const logsCommand: Command = {
  name: 'logs',
  synopsis: ['[-f] [-n LINES] [--stdout|--stderr] PID|GROUP[/N]'],
  summary: 'show the kept output of a process',
  options: [follow, tail, onlyStdout, onlyStderr, sinceOffset],
  details: [
    'web is the group: all its replicas, each line with the name of its own. web/2 is one of them: the process that runs, or ran last.',
  ],
  run: async (context, args) => {
    const wanted = parseLogsOptions(args);
    const { word } = wanted;
    const client = await context.cluster();
    const { stdout, stderr, signal } = context;
    const reporter = makeReporter(context, 'logs');
    const terminal = new ModeTracker();
    try {
      if (isOfGroup(word)) {
        if (wanted.offset !== undefined)
          throw new NshError('usage', '--since-offset is for one process, which a PID names');
        const { showGroupLogs } = await import('../logs/group-logs.ts');
        return await showGroupLogs(context, client, word, wanted, reporter);
      }
      const named = await findManaged(client, word, signal);
      const output = { stdout: outputSink(stdout, terminal), stderr: writableSink(stderr), reporter, signal };
      const end = await readLog(client, named, wanted, output);
      // Logs tell how a process ended only in words; their own status is whether they could be shown.
      return end.kind === 'outputClosed' ? finishStatus(end, named.node.name, named.gpid, reporter) : 0;
    } catch (error) {
      if (signal.aborted) return signalStatus(signalOf(signal));
      throw error;
    } finally {
      if (stdout.isTTY === true) stdout.write(terminal.undo());
    }
  },
};

/** `web1.4711` is a process. */
function isOfGroup(word: string): boolean {
  return parseReplicaName(word) !== undefined || (isGroupName(word) && !/\.\d+$/.test(word));
}

interface LogsOptions extends LogWanted {
  readonly word: string;
}

function parseLogsOptions(args: readonly string[]): LogsOptions {
  const { options, operands } = parseOptions(logsCommand.options, args);
  const given = (option: OptionSpec): boolean => options.some((parsed) => parsed.option === option);
  const value = (option: OptionSpec): string | undefined =>
    options.findLast((parsed) => parsed.option === option)?.value;
  const [word, ...more] = operands;
  if (word === undefined || more.length > 0) throw new NshError('usage', 'one process is to be given');
  const [lines, offset] = [value(tail), value(sinceOffset)];
  if (lines !== undefined && offset !== undefined)
    throw new NshError('usage', '--tail and --since-offset exclude each other');
  return {
    word,
    follow: given(follow),
    lines: lines === undefined ? undefined : parseCount(lines, '--tail', 0),
    offset: offset === undefined ? undefined : parseCount(offset, '--since-offset', 0),
    stdout: !given(onlyStderr) || given(onlyStdout),
    stderr: !given(onlyStdout) || given(onlyStderr),
  };
}

/** To a terminal too the bytes go as they are; what they switched on is undone at the end. */
function outputSink(stdout: CommandContext['stdout'], terminal: ModeTracker): OutputSink {
  const sink = writableSink(stdout);
  if (stdout.isTTY !== true) return sink;
  return {
    write(bytes, taken) {
      terminal.see(bytes);
      sink.write(bytes, taken);
    },
  };
}
