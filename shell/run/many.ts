/** One command on many nodes: output with prefixes as it comes or folded, stdin to all of them, the largest exit status. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { newClientId, openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import type { ProcessStream } from '../../src/cluster/process-stream/types.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import { foldNames } from '../../src/ids/nodeset/index.ts';
import type { Params } from '../../src/protocol/control.ts';
import { ptyWindowBytes, pipeWindowBytes } from '../../src/protocol/limits.ts';
import type { CommandContext } from '../command.ts';
import { describeFailure } from '../gather.ts';
import { foldedOutput, prefixedOutput, type ManyOutput } from '../output/node-output.ts';
import { ownWriteErrors } from '../output/write-errors.ts';
import { feedStdin } from './feed-stdin.ts';
import { foreground, standFor } from './foreground.ts';
import { finishStatus, makeReporter, foregroundFailure, type Reporter } from './report.ts';

export interface ManyRun {
  readonly context: CommandContext;
  readonly client: ClusterClient;
  readonly nodes: readonly NodeSpec[];
  readonly folded: boolean;
  readonly passesStdin: boolean;
  readonly params: (clientId: string) => Params<'run'>;
}

interface Started {
  readonly node: NodeSpec;
  readonly gpid: number;
  readonly stream: ProcessStream;
}

/** How one node's part ended. */
interface Outcome {
  readonly status: number;
  /** False where nothing ran, or how it ended is not known: the reason has been said then. */
  readonly ran: boolean;
}

/** @returns the largest exit status. */
export async function runOnMany(run: ManyRun): Promise<number> {
  const { context, client, nodes } = run;
  const reporter = makeReporter(context, 'run');
  const output = makeOutput(run, reporter);
  const clientId = newClientId();
  const params = run.params(clientId);
  const windowBytes =
    params.io === 'pty' ? ptyWindowBytes : Math.max(65_536, Math.floor(pipeWindowBytes / nodes.length));
  const streams: ProcessStream[] = [];
  const ends: Promise<unknown>[] = [];
  const outcomes = new Map<NodeSpec, Outcome>();
  const work = async (): Promise<number> => {
    for await (const { node, result, error } of client.fanout(nodes, 'run', params, { signal: context.signal })) {
      if (error !== undefined) {
        reporter.say(describeFailure({ node, error }));
        outcomes.set(node, { status: error.exitStatus, ran: false });
        continue;
      }
      const stream = openProcessStream({
        ...foreground(client, node, result, clientId, windowBytes),
        ...reporter.watch(node.name),
        ...output.sinks(node.name),
      });
      streams.push(stream);
      const started = { node, gpid: toGpid(node.id, result.pid), stream };
      ends.push(waitFor(started, reporter).then((outcome) => outcomes.set(node, outcome)));
    }
    const stopFeeding = run.passesStdin
      ? feedStdin(
          context.stdin,
          streams.map((stream) => stream.stdin),
        )
      : () => {};
    await Promise.all(ends);
    stopFeeding();
    await output.finish();
    tellStatuses(outcomes, nodes, reporter);
    return Math.max(0, ...[...outcomes.values()].map(({ status }) => status));
  };
  const giveBackErrors = ownWriteErrors(context);
  try {
    return await standFor(streams, context.signal, reporter, work);
  } finally {
    giveBackErrors();
  }
}

async function waitFor({ node, gpid, stream }: Started, reporter: Reporter): Promise<Outcome> {
  try {
    const end = await stream.ended;
    const isKnown = end.kind === 'exit' && (end.status.code !== null || end.status.signal !== null);
    return { status: finishStatus(end, node.name, gpid, reporter), ran: isKnown };
  } catch (error) {
    const failure = foregroundFailure(error, node.name, gpid);
    reporter.say(failure.message);
    return { status: failure.exitStatus, ran: false };
  }
}

function makeOutput(run: ManyRun, reporter: Reporter): ManyOutput {
  const { stdout, stderr, terminal } = run.context;
  const options = {
    stdout,
    stderr,
    names: run.nodes.map((node) => node.name),
    outStyle: { aligned: stdout.isTTY === true, colour: stdout.isTTY === true && terminal.colour },
    errStyle: { aligned: stderr.isTTY === true, colour: stderr.isTTY === true && terminal.colour },
    warn: (text: string) => reporter.say(text),
  };
  return run.folded ? foldedOutput(options, foldNames) : prefixedOutput(options);
}

/** `web[1-2] (2): exited with status 1` for each status but 0. */
function tellStatuses(outcomes: ReadonlyMap<NodeSpec, Outcome>, nodes: readonly NodeSpec[], reporter: Reporter): void {
  const byStatus = new Map<number, string[]>();
  for (const node of nodes) {
    const { status, ran } = outcomes.get(node) ?? { status: 0, ran: false };
    if (ran && status !== 0) byStatus.set(status, [...(byStatus.get(status) ?? []), node.name]);
  }
  for (const [status, names] of [...byStatus].sort(([a], [b]) => a - b)) {
    const count = names.length > 1 ? ` (${names.length})` : '';
    reporter.say(`${foldNames(names)}${count}: exited with status ${status}`);
  }
}
