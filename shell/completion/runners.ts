/** The two ways to run a listing: a child of this process, and a process on a node through the cluster client. */
import { spawn } from 'node:child_process';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { newClientId, openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import { discardSink, type OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { Starter } from '../../src/protocol/process.ts';
import { listingName, maxListingBytes } from './listing-script.ts';
import type { NodeRunner } from './node-names.ts';

/** The far side ends it too, should this one die. */
const maxRunMs = 5_000;

/** This machine by a child, which leaves no record, other nodes through the cluster. */
export function clusterRunner(client: ClusterClient, starter: Starter): NodeRunner {
  return (node, argv, signal) =>
    node.id === client.self.id ? runHere(argv, signal) : runOnNode(client, starter, node, argv, signal);
}

export function runHere(argv: readonly string[], signal: AbortSignal): Promise<string> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], signal, killSignal: 'SIGKILL' });
    const output = new Collected();
    child.on('error', reject);
    child.stdout.on('data', (bytes: Buffer) => {
      if (!output.add(bytes)) child.kill('SIGKILL');
    });
    child.on('close', () => resolve(output.text));
  });
}

/** A managed process whose output is taken and not kept. */
export async function runOnNode(
  client: ClusterClient,
  starter: Starter,
  node: Parameters<NodeRunner>[0],
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const clientId = newClientId();
  const started = await client.call(
    node,
    'run',
    {
      argv: [...argv],
      io: 'pipes',
      stdin: 'null',
      keepBytes: 0,
      onDisconnect: 'kill',
      foreground: clientId,
      timeoutMs: maxRunMs,
      name: listingName,
      forget: true,
      starter,
    },
    { signal },
  );
  const output = new Collected();
  const process = { pid: started.pid, start: started.start, boot: started.boot };
  const { dial } = processDialler(client, node, process, started.shim);
  const stdout: OutputSink = {
    write: (bytes, taken) => taken(output.add(bytes) ? null : new Error('more than anybody reads')),
  };
  const stream = openProcessStream({
    dial,
    process,
    role: 'foreground',
    client: clientId,
    stdout,
    stderr: discardSink,
    retryForMs: 0,
    signal,
  });
  stream.opened.catch(() => undefined); // `ended` tells the same.
  await stream.ended;
  return output.text;
}

/** Output up to a bound. */
class Collected {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  /** False where it is enough. */
  add(bytes: Buffer): boolean {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    return this.#length < maxListingBytes;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8', 0, maxListingBytes);
  }
}
