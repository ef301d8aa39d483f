/** A cluster whose nodes are tables in memory, or this machine's own /proc, and a command run against it in this process. */
import { PassThrough, Readable } from 'node:stream';
import { ProcessScanner } from '../../../agent/procfs/index.ts';
import type { Command, CommandContext } from '../../../shell/command.ts';
import type { ClusterClient } from '../../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../../src/cluster/node-spec.ts';
import { nodeId } from '../../../src/ids/gpid.ts';
import type { Params } from '../../../src/protocol/control.ts';
import { NshError, toNshError } from '../../../src/protocol/errors.ts';
import type { ManagedProcess, ProcessTable } from '../../../src/protocol/process.ts';

export type PsCall = Params<'ps'>;
export type KillCall = Params<'kill'>;

export interface FakeNode {
  readonly id: number;
  readonly name: string;
  readonly user?: string;
  ps?(params: PsCall): ProcessTable;
  kill?(params: KillCall): { errors: ({ code: string; message: string } | null)[] };
  /** Thrown by every call. */
  readonly failure?: NshError;
}

const scanner = new ProcessScanner();

/** This machine as node `id`, read from /proc. */
export function thisMachine(id = 0, name = 'localhost', managed: readonly ManagedProcess[] = []): FakeNode {
  return {
    id,
    name,
    ps: (params) => scanner.scan(params, managed),
  };
}

export interface FakeCluster {
  readonly client: ClusterClient;
  /** Every call that a node got: name, method, parameters. */
  readonly calls: { node: string; method: string; params: unknown }[];
}

/** @param self id of the node that the caller is on; default: the first. */
export function fakeCluster(fakes: readonly FakeNode[], self = fakes[0]?.id ?? 0): FakeCluster {
  const calls: FakeCluster['calls'] = [];
  const specs = new Map<number, NodeSpec>();
  for (const { id, name, user } of fakes) {
    specs.set(id, { id: nodeId(id), name, labels: [], ...(user === undefined ? {} : { user }) });
  }
  const own: NodeSpec = specs.get(self) ?? { id: nodeId(self), name: 'localhost', labels: [] };
  const nodes = [...specs.values()];
  const answer = (node: NodeSpec, method: string, params: unknown): unknown => {
    calls.push({ node: node.name, method, params });
    const fake = fakes.find(({ id }) => id === node.id);
    if (fake?.failure !== undefined) throw fake.failure;
    if (method === 'ps' && fake?.ps !== undefined) return fake.ps(params as PsCall);
    if (method === 'kill' && fake?.kill !== undefined) return fake.kill(params as KillCall);
    throw new NshError('unknownMethod', `${node.name}: ${method}`);
  };
  const client = {
    spec: { cluster: 'test', agentCommand: 'nsh-agent', nodes },
    self: own,
    nodes,
    node: (id: number) => specs.get(id) ?? (id === self ? own : undefined),
    call: async (node: NodeSpec, method: string, params: unknown) => answer(node, method, params),
    async *fanout(wanted: readonly NodeSpec[], method: string, params: unknown) {
      for (const node of wanted) {
        try {
          yield { node, result: answer(node, method, params) };
        } catch (error) {
          yield { node, error: toNshError(error) };
        }
      }
    },
    close: () => undefined,
  };
  return { client: client as unknown as ClusterClient, calls };
}

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly terminal?: Partial<CommandContext['terminal']>;
  readonly env?: Readonly<Record<string, string>>;
}

/** As `nsh NAME ARGUMENT…` off a terminal, errors printed as main.ts prints them. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  { client }: FakeCluster,
  { terminal, env = {} }: RunOptions = {},
): Promise<CommandResult> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const texts = { stdout: '', stderr: '' };
  stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  const context: CommandContext = {
    stdin: Readable.from([]),
    stdout,
    stderr,
    terminal: { columns: undefined, rows: undefined, colour: false, ...terminal },
    env,
    cwd: '/',
    clusterSpec: async () => client.spec,
    cluster: async () => client,
    signal: new AbortController().signal,
  };
  let status: number;
  try {
    status = await command.run(context, args);
  } catch (error) {
    const known = toNshError(error);
    texts.stderr += `nsh ${command.name}: ${known.message}\n`;
    status = known.exitStatus;
  }
  await new Promise((resolve) => setImmediate(resolve));
  return { status, ...texts };
}
