/**
 * `nsh-agent feed`: what a stage of a pipeline writes here, straight into the stdin of the next one on another node. It is run behind the
 * stage, by the shell that runs that. Where this node does not know the other one, or cannot log in to it without asking, it reads nothing
 * and ends with 3: then the bytes have to go another way.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connectCluster } from '../src/cluster/connect.ts';
import type { ClusterClient } from '../src/cluster/cluster-client.ts';
import { loadCluster } from '../src/cluster/file/index.ts';
import { processDialler } from '../src/cluster/process-stream/dial-process.ts';
import { openProcessStream } from '../src/cluster/process-stream/process-stream.ts';
import type { ProcessStream } from '../src/cluster/process-stream/types.ts';
import { NshError, toNshError } from '../src/protocol/errors.ts';
import type { ProcessRef } from '../src/protocol/process.ts';

export interface FeedTarget {
  readonly cluster: string;
  readonly node: number;
  /** Of the shim that serves the process. */
  readonly socket: string;
  readonly process: ProcessRef;
  /** Bytes that come to the process by another way before these. */
  readonly behind: number;
  /** So long the other node may be away. */
  readonly timeoutMs: number;
}

const noWayStatus = 3;
/** The link was lost for longer than that. */
const lostStatus = 255;
/** What SIGPIPE makes of a process. */
const brokenPipeStatus = 141;
/** A login that takes longer is not waited for: the bytes have another way. */
const openDeadlineMs = 10_000;
const pollMs = 5;

/** @returns the exit status. */
export async function feed(target: FeedTarget): Promise<number> {
  const opened = await open(target).catch(() => undefined);
  if (opened === undefined) return noWayStatus;
  const { client, stream } = opened;
  try {
    return await carry(stream);
  } finally {
    client.close();
    // Its writer gets SIGPIPE.
    process.stdin.destroy();
  }
}

interface Opened {
  readonly client: ClusterClient;
  readonly stream: ProcessStream;
}

/** @throws NshError where the process cannot be reached from here. */
async function open({ cluster, node: id, socket, process: ref, behind, timeoutMs }: FeedTarget): Promise<Opened> {
  const spec = await loadCluster({ env: process.env });
  const node = spec.nodes.find((each) => each.id === id);
  if (spec.cluster !== cluster || node === undefined)
    throw new NshError('unknownNode', `the cluster file of this node does not name node ${id} of ${cluster}`);
  const client = connectCluster(spec, { env: process.env, mayStart: false });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), openDeadlineMs);
  try {
    const stream = openProcessStream({
      ...processDialler(client, node, ref, { id: '', socket }),
      process: ref,
      role: 'feed',
      from: { stdout: 'newest' },
      behind,
      retryForMs: timeoutMs,
      signal: late.signal,
    });
    stream.ended.catch(() => undefined);
    await stream.opened;
    return { client, stream };
  } catch (error) {
    client.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function carry(stream: ProcessStream): Promise<number> {
  const end = stream.ended.then(
    () => brokenPipeStatus,
    (error: unknown) => {
      process.stderr.write(`nsh-agent feed: ${toNshError(error).message}\n`);
      return lostStatus;
    },
  );
  return await Promise.race([end, pour(stream)]);
}

/** Resolves when the process has all of it. */
async function pour(stream: ProcessStream): Promise<number> {
  for await (const chunk of process.stdin) {
    if (!stream.stdin.write(chunk)) await once(stream.stdin, 'drain');
  }
  stream.stdin.end();
  while (stream.untaken.length > 0) await delay(pollMs);
  stream.detach(false);
  return 0;
}
