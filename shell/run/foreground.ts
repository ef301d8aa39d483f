/** One process in the foreground: with the terminal, or with pipes as `ssh HOST COMMAND` has them. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { newClientId, openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import { writableSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStream, ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import { findSignal } from '../../src/ids/signals.ts';
import type { Params, Result } from '../../src/protocol/control.ts';
import { pipeWindowBytes, ptyWindowBytes } from '../../src/protocol/limits.ts';
import type { CommandContext } from '../command.ts';
import { ownWriteErrors } from '../output/write-errors.ts';
import { handOver, signalOf, type HandOverEnd } from '../terminal/hand-over.ts';
import { linkFailedStatus, signalStatus } from './exit-status.ts';
import { feedStdin } from './feed-stdin.ts';
import { forwardSignals } from './forward-signals.ts';
import type { RunOptions } from './options.ts';
import { finishStatus, makeReporter, foregroundFailure, type Reporter } from './report.ts';

export interface ForegroundRun {
  readonly context: CommandContext;
  readonly client: ClusterClient;
  readonly node: NodeSpec;
  readonly options: RunOptions;
  /** Makes the request for a foreground client id. */
  readonly params: (clientId: string) => Params<'run'>;
}

/** @returns the exit status. @throws NshError */
export async function runWithTerminal(run: ForegroundRun): Promise<number> {
  const { context, client, node } = run;
  const clientId = newClientId();
  const started = await client.call(node, 'run', run.params(clientId), { signal: context.signal });
  const gpid = toGpid(node.id, started.pid);
  let end: HandOverEnd;
  try {
    end = await handOver({
      stdin: context.stdin,
      stdout: context.stdout,
      detachKeys: run.options.detachKeys,
      readOnly: false,
      nodeName: node.name,
      passInputEnd: true,
      tellsEnd: false,
      signal: context.signal,
      open: ({ nudge: _nudge, ...parts }) =>
        openProcessStream({ ...foreground(client, node, started, clientId, ptyWindowBytes), ...parts }),
    });
  } catch (error) {
    throw foregroundFailure(error, node.name, gpid);
  }
  const reporter = makeReporter(context, 'run');
  if (end.kind === 'signal') return signalStatus(end.name);
  if (end.kind === 'detached') context.stderr.write(`[detached from ${gpid}; nsh attach ${gpid}]\n`);
  return finishStatus(end, node.name, gpid, reporter);
}

/** @returns the exit status. @throws NshError */
export async function runWithPipes(run: ForegroundRun, passesStdin: boolean): Promise<number> {
  const { context, client, node } = run;
  const clientId = newClientId();
  const started = await client.call(node, 'run', run.params(clientId), { signal: context.signal });
  const gpid = toGpid(node.id, started.pid);
  const reporter = makeReporter(context, 'run');
  const stream = openProcessStream({
    ...foreground(client, node, started, clientId, pipeWindowBytes),
    ...reporter.watch(node.name),
    stdout: writableSink(context.stdout),
    stderr: writableSink(context.stderr),
  });
  const giveBackErrors = ownWriteErrors(context);
  const stopFeeding = passesStdin ? feedStdin(context.stdin, [stream.stdin]) : () => {};
  try {
    return await standFor([stream], context.signal, reporter, async () => {
      const end = await stream.ended;
      return finishStatus(end, node.name, gpid, reporter);
    });
  } catch (error) {
    throw foregroundFailure(error, node.name, gpid);
  } finally {
    stopFeeding();
    giveBackErrors();
  }
}

/**
 * Waits for the result of `work` while signals to nsh go to its processes. A hang-up leaves them; so does any signal while none of
 * them can be reached, since whoever sends it wants nsh to end.
 */
export async function standFor(
  streams: readonly ProcessStream[],
  hangUp: AbortSignal,
  reporter: Reporter,
  work: () => Promise<number>,
): Promise<number> {
  let left: number | undefined;
  const leave = (status: number): void => {
    left ??= status;
    for (const stream of streams) stream.detach(true);
  };
  const onAbort = (): void => {
    if (signalOf(hangUp) === 'SIGHUP') leave(signalStatus('SIGHUP'));
  };
  hangUp.addEventListener('abort', onAbort, { once: true });
  const stopForwarding = forwardSignals((name) => {
    if (streams.some((stream) => stream.connected)) {
      for (const stream of streams) stream.sendSignal(findSignal(name) ?? 0, false);
      return;
    }
    reporter.say(`${name} cannot be passed on: there is no connection; the processes may still be running`);
    leave(linkFailedStatus);
  });
  try {
    if (hangUp.aborted) onAbort();
    const status = await work();
    return left ?? status;
  } finally {
    stopForwarding();
    hangUp.removeEventListener('abort', onAbort);
  }
}

/** The stream options of whoever started the process. */
export function foreground(
  client: ClusterClient,
  node: NodeSpec,
  started: Result<'run'>,
  clientId: string,
  windowBytes: number,
): Pick<ProcessStreamOptions, 'dial' | 'shortcut' | 'process' | 'role' | 'client' | 'windowBytes'> {
  const process = { pid: started.pid, start: started.start, boot: started.boot };
  return {
    ...processDialler(client, node, process, started.shim),
    process,
    role: 'foreground',
    client: clientId,
    windowBytes,
  };
}
