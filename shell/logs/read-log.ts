/** The kept output of one managed process, and what follows it, into the sinks that are given. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import { discardSink, type OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStreamOptions, StreamEnd } from '../../src/cluster/process-stream/types.ts';
import type { OpenedFrame } from '../../src/protocol/frames.ts';
import type { NamedProcess } from '../run/find-managed.ts';
import { streamFailure, type Reporter } from '../run/report.ts';
import { tailStart, type Reading } from '../run/tail.ts';

export interface LogWanted {
  /** Go on until the process ends. */
  readonly follow: boolean;
  /** Begin with so many last lines; undefined: with the oldest byte that is kept. */
  readonly lines: number | undefined;
  /** Begin at this byte. Not together with `lines`. */
  readonly offset: number | undefined;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface LogOutput {
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** @throws NshError: the stream's failure, naming node and process; also where `signal` has fired. */
export async function readLog(
  client: ClusterClient,
  named: NamedProcess,
  wanted: LogWanted,
  { stdout, stderr, reporter, signal }: LogOutput,
): Promise<StreamEnd> {
  const { node, record, gpid } = named;
  if (record.logError !== undefined) reporter.say(`${node.name}: the kept output is not complete: ${record.logError}`);
  const process = { pid: record.pid, start: record.start, boot: record.boot };
  const reading = { ...processDialler(client, node, process, record.shim), process, role: 'read' as const, signal };
  try {
    const from = await beginning(wanted, reading, named);
    const stream = openProcessStream({
      ...reading,
      from,
      follow: wanted.follow,
      ...watching(reporter, wanted, node.name, from),
      stdout: wanted.stdout ? stdout : discardSink,
      stderr: wanted.stderr ? stderr : discardSink,
    });
    return await stream.ended;
  } catch (error) {
    throw streamFailure(error, node.name, gpid);
  }
}

type From = NonNullable<ProcessStreamOptions['from']>;

async function beginning(wanted: LogWanted, reading: Reading, { record }: NamedProcess): Promise<From> {
  if (wanted.offset !== undefined) return { stdout: wanted.offset, stderr: wanted.offset };
  if (wanted.lines === undefined) return { stdout: 'oldest', stderr: 'oldest' };
  const wants = { stdout: wanted.stdout, stderr: wanted.stderr && record.err !== undefined };
  return await tailStart(reading, wants, wanted.lines);
}

/** What was asked for by its number and is gone leaves a gap; else it is said once that what is shown is not all there was. */
function watching(
  reporter: Reporter,
  wanted: LogWanted,
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
function describeBeginning(opened: OpenedFrame, wanted: LogWanted, from: From): string[] {
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
