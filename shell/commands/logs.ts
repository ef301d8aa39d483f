/** `nsh logs`: the kept output of a managed process, running or ended; with `-f` also what follows. */
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import { discardSink, writableSink, type OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { OpenedFrame } from '../../src/protocol/frames.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { findManaged, type NamedProcess } from '../run/find-managed.ts';
import { finishStatus, makeReporter, streamFailure, type Reporter } from '../run/report.ts';
import { signalStatus } from '../run/exit-status.ts';
import { tailStart, type Reading } from '../run/tail.ts';
import { parseCount } from '../run/values.ts';
import { signalOf } from '../terminal/hand-over.ts';
import { ModeTracker } from '../terminal/mode-tracker.ts';

const follow: OptionSpec = { short: 'f', long: 'follow', summary: 'go on with what the process says, until it ends' };
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
  synopsis: ['[-f] [-n LINES] [--stdout|--stderr] PID'],
  summary: 'show the kept output of a process',
  options: [follow, tail, onlyStdout, onlyStderr, sinceOffset],
  run: async (context, args) => {
    const wanted = parseLogsOptions(args);
    const client = await context.cluster();
    const named = await findManaged(client, wanted.word, context.signal);
    const { node, record, gpid } = named;
    const reporter = makeReporter(context, 'logs');
    if (record.logError !== undefined)
      reporter.say(`${node.name}: the kept output is not complete: ${record.logError}`);
    const terminal = new ModeTracker();
    const process = { pid: record.pid, start: record.start, boot: record.boot };
    const reading = {
      ...processDialler(client, node, process, record.shim),
      process,
      role: 'read' as const,
      signal: context.signal,
    };
    try {
      const from = await start(wanted, reading, named);
      const stream = openProcessStream({
        ...reading,
        from,
        follow: wanted.follow,
        ...watching(reporter, wanted, node.name, from),
        stdout: wanted.stdout ? outputSink(context.stdout, terminal) : discardSink,
        stderr: wanted.stderr ? writableSink(context.stderr) : discardSink,
      });
      const end = await stream.ended;
      // Logs tell how a process ended only in words; their own status is whether they could be shown.
      return end.kind === 'outputClosed' ? finishStatus(end, node.name, gpid, reporter) : 0;
    } catch (error) {
      if (context.signal.aborted) return signalStatus(signalOf(context.signal));
      throw streamFailure(error, node.name, gpid);
    } finally {
      if (context.stdout.isTTY === true) context.stdout.write(terminal.undo());
    }
  },
};

interface LogsOptions {
  readonly word: string;
  readonly follow: boolean;
  readonly lines: number | undefined;
  readonly offset: number | undefined;
  readonly stdout: boolean;
  readonly stderr: boolean;
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

type From = NonNullable<ProcessStreamOptions['from']>;

async function start(wanted: LogsOptions, reading: Reading, { record }: NamedProcess): Promise<From> {
  if (wanted.offset !== undefined) return { stdout: wanted.offset, stderr: wanted.offset };
  if (wanted.lines === undefined) return { stdout: 'oldest', stderr: 'oldest' };
  const wants = { stdout: wanted.stdout, stderr: wanted.stderr && record.err !== undefined };
  return await tailStart(reading, wants, wanted.lines);
}

/** What was asked for by its number and is gone leaves a gap; else it is said once that what is shown is not all there was. */
function watching(
  reporter: Reporter,
  wanted: LogsOptions,
  node: string,
  from: From,
): Pick<ProcessStreamOptions, 'onLost' | 'onOpened' | 'onGap'> {
  const { onOpened, ...rest } = reporter.watch(node);
  return {
    ...rest,
    onOpened: (opened, again) => {
      onOpened(opened, again);
      if (again || wanted.offset !== undefined) return;
      for (const line of describeBeginning(opened, wanted, from)) reporter.note(line);
    },
  };
}

/** A line for each output that is shown from the oldest byte that is kept, where older ones are gone. */
function describeBeginning(opened: OpenedFrame, wanted: LogsOptions, from: From): string[] {
  const outputs = [
    wanted.stdout ? { name: 'stdout', kept: opened.stdout, from: from.stdout } : undefined,
    wanted.stderr ? { name: 'stderr', kept: opened.stderr, from: from.stderr ?? from.stdout } : undefined,
  ];
  const cut = outputs.filter((output) => {
    const base = output?.kept?.base ?? 0;
    return base > 0 && (output?.from === 'oldest' || output?.from === base);
  });
  return cut.map((output) => {
    const of = opened.stderr === undefined ? '' : ` of ${output?.name}`;
    return `[${output?.kept?.base} bytes${of} before this are no longer kept]`;
  });
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
