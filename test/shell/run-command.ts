/** A command's surroundings for tests: text in, text out, a cluster that is given. */
import { PassThrough, Readable } from 'node:stream';
import type { Command, CommandContext } from '../../shell/command.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { ClusterSpec } from '../../src/cluster/node-spec.ts';

export interface CommandRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandSurroundings {
  readonly stdin?: string;
  /** Absent: asking for the cluster fails. */
  readonly spec?: ClusterSpec;
  /** Absent: asking for it fails. */
  readonly client?: ClusterClient;
}

/** What the command throws is thrown. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  around: CommandSurroundings = {},
): Promise<CommandRun> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const { spec, client } = around;
  const context: CommandContext = {
    stdin: Readable.from([Buffer.from(around.stdin ?? '')]),
    stdout,
    stderr,
    terminal: { columns: undefined, rows: undefined, colour: false },
    env: {},
    cwd: '/',
    clusterSpec: () =>
      spec === undefined ? Promise.reject(new Error('no cluster is needed here')) : Promise.resolve(spec),
    cluster: () =>
      client === undefined ? Promise.reject(new Error('no agent is needed here')) : Promise.resolve(client),
    signal: new AbortController().signal,
  };
  const texts = Promise.all([collect(stdout), collect(stderr)]);
  try {
    const status = await command.run(context, args);
    stdout.end();
    stderr.end();
    const [out, err] = await texts;
    return { status, stdout: out, stderr: err };
  } finally {
    stdout.end();
    stderr.end();
  }
}

async function collect(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}
