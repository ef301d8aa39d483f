/** Runs bashes on a node of the cluster: each a managed process on pipes, with the session's state on its channel. */
import { createReadStream, createWriteStream } from 'node:fs';
import { constants } from 'node:os';
import { Readable, Writable } from 'node:stream';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { openProcessStream, newClientId } from '../../src/cluster/process-stream/process-stream.ts';
import { discardSink, writableSink, type OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStream, StreamEnd } from '../../src/cluster/process-stream/types.ts';
import { currentStarter } from '../../src/cluster/starter.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import { findSignal } from '../../src/ids/signals.ts';
import type { Params, RunResult } from '../../src/protocol/control.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import { foregroundPipeKeepBytes, pipeWindowBytes } from '../../src/protocol/limits.ts';
import { brokenPipeStatus } from '../output/write-errors.ts';
import { exitStatusOf } from '../run/exit-status.ts';
import { feedStdin } from '../run/feed-stdin.ts';
import { foreground } from '../run/foreground.ts';
import { foregroundFailure } from '../run/report.ts';
import { feedingDriver } from './direct-feed.ts';
import { streamTimeoutMs } from './stream-timeout.ts';
import type { BashEnd, BashJob, BashRunner, InputSource, OutputTarget, RunningBash } from './runner.ts';

export interface NodeRunnerOptions {
  readonly client: ClusterClient;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function nodeRunner(node: NodeSpec, { client, env }: NodeRunnerOptions): BashRunner {
  return {
    node: node.name,
    isFar: node.id !== client.self.id,
    start: async (given) => {
      const job = await withDirectFeed(given, env);
      const clientId = newClientId();
      const run = async (program: RunProgram): Promise<RunResult> =>
        await client.call(
          node,
          'run',
          {
            ...program,
            io: 'pipes',
            stdin: job.stdin === 'null' ? 'null' : 'stream',
            keepBytes: foregroundPipeKeepBytes,
            // What a session's line starts ends with the line; a job is kept by whoever keeps jobs.
            onDisconnect: 'hup',
            foreground: clientId,
            ...(job.readsFrom === undefined ? {} : { feedTimeoutMs: streamTimeoutMs(env) }),
            starter: currentStarter(env, client.self, client.spec.file === undefined || client.self.id !== 0),
          },
          job.signal === undefined ? {} : { signal: job.signal },
        );
      let plainOn: string | undefined;
      const started = await announcing(job, client, node, () =>
        run(bashProgram(job)).catch((error: unknown) => {
          const plain = plainProgram(job, error);
          if (plain === undefined) throw error;
          plainOn = node.name;
          return run(plain);
        }),
      );
      const stream = openProcessStream({
        ...foreground(client, node, started, clientId, job.windowBytes ?? pipeWindowBytes),
        retryForMs: streamTimeoutMs(env),
        stdout: sinkOf(job.stdout, process.stdout, 1),
        stderr: sinkOf(job.stderr, process.stderr, 2),
      });
      const running = follow(stream, job, node.name, toGpid(node.id, started.pid));
      return plainOn === undefined ? running : { ...running, plainOn };
    },
  };
}

/** What the stage writes may go straight to its reader. */
export async function withDirectFeed(job: BashJob, env: NodeRunnerOptions['env']): Promise<BashJob> {
  const reader = await job.writesTo?.reader;
  if (reader === undefined) return job;
  return { ...job, driver: feedingDriver(job.driver, reader, streamTimeoutMs(env) / 1000) };
}

/** Tells whoever writes to it where it is. */
export async function announcing(
  { readsFrom }: BashJob,
  client: ClusterClient,
  node: NodeSpec,
  start: () => Promise<RunResult>,
): Promise<RunResult> {
  try {
    const started = await start();
    const { pid, start: ticks, boot, shim } = started;
    const { cluster, agentCommand } = client.spec;
    readsFrom?.announce({
      cluster,
      agentCommand,
      node: node.id,
      process: { pid, start: ticks, boot },
      socket: shim.socket,
    });
    return started;
  } finally {
    readsFrom?.announce(undefined);
  }
}

type RunProgram = Pick<Params<'run'>, 'argv' | 'env' | 'cwd' | 'channel'>;

function bashProgram(job: BashJob): RunProgram {
  return {
    argv: ['bash', '--norc', '--noprofile', '-c', job.driver, job.name],
    // A file that bash would source at the start of every step is the session's to source once.
    env: { BASH_ENV: '', ENV: '', ...defined(job.env) },
    channel: job.restore,
  };
}

/** Undefined where it is not bash that is missing. */
export function plainProgram(job: BashJob, error: unknown): RunProgram | undefined {
  if (toNshError(error).code !== 'commandNotFound' || job.plain === undefined) return undefined;
  const { argv, env, cwd } = job.plain();
  return { argv: [...argv], env: { ...env, ENV: '', ...defined(job.env) }, ...(cwd === undefined ? {} : { cwd }) };
}

function follow(stream: ProcessStream, job: BashJob, node: string, gpid: number): RunningBash {
  const stopFeeding = job.stdin === 'null' ? undefined : feedStdin(sourceOf(job.stdin), [stream.stdin]);
  const abort = (): void => stream.detach(true);
  job.signal?.addEventListener('abort', abort, { once: true });
  const finish = async (): Promise<BashEnd> => {
    try {
      return bashEnd(await stream.ended);
    } catch (error) {
      throw foregroundFailure(error, node, gpid);
    } finally {
      stopFeeding?.();
      job.signal?.removeEventListener('abort', abort);
    }
  };
  const ended = finish();
  // Whoever waits for it hears of it.
  ended.catch(() => undefined);
  return {
    pid: gpid,
    ended,
    kill: (signal) => stream.sendSignal(findSignal(signal) ?? constants.signals.SIGTERM, false),
  };
}

function bashEnd(end: StreamEnd): BashEnd {
  switch (end.kind) {
    case 'exit': {
      const { signal } = end.status;
      return {
        status: exitStatusOf(end.status),
        report: end.report?.toString('latin1') ?? '',
        ...(signal === null ? {} : { signal }),
      };
    }
    // Its reader has gone: what SIGPIPE makes of a process.
    case 'outputClosed':
      return { status: brokenPipeStatus, report: '', signal: 'SIGPIPE' };
    case 'detached':
    case 'outputEnd':
  }
  return { status: 128 + constants.signals.SIGHUP, report: '', signal: 'SIGHUP' };
}

function sourceOf(source: Exclude<InputSource, 'null'>): Readable {
  if (source === 'inherit') return process.stdin;
  return source instanceof Readable ? source : createReadStream('', { fd: source, autoClose: false });
}

function sinkOf(target: OutputTarget, own: Writable, descriptor: 1 | 2): OutputSink {
  if (target === 'null') return discardSink;
  if (target === 'inherit') return writableSink(own);
  if (target instanceof Writable) return writableSink(target);
  return writableSink(target === descriptor ? own : createWriteStream('', { fd: target, autoClose: false }));
}

function defined(env: BashJob['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
