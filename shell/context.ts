/** The surroundings of a command run as `nsh NAME`: this process's terminal, environment, cluster file and agent. */
import type { CommandContext, Terminal } from './command.ts';
import type { ClusterClient } from '../src/cluster/cluster-client.ts';
import type { ClusterSpec } from '../src/cluster/node-spec.ts';
import { NshError } from '../src/protocol/errors.ts';

export interface OwnedContext extends CommandContext {
  /** Ends the connection to the agent, and with it what the command still asked for. */
  close(): void;
}

/** @param clusterFlag the FILE of `--cluster FILE`. */
export function processContext(clusterFlag: string | undefined): OwnedContext {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      abort.abort(new NshError('cancelled', `ended by ${signal}`, { data: { signal } }));
    });
  }
  let spec: Promise<ClusterSpec> | undefined;
  let client: Promise<ClusterClient> | undefined;
  const clusterSpec = (): Promise<ClusterSpec> => (spec ??= readSpec(clusterFlag));
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    terminal: terminalOf(process.stdout, process.env),
    env: process.env,
    cwd: process.cwd(),
    signal: abort.signal,
    clusterSpec,
    cluster: () => (client ??= openClient(clusterSpec)),
    close: () => {
      void client?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
  };
}

function terminalOf(stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Terminal {
  const isTerminal = stdout.isTTY;
  const noColour = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  return {
    // Some terminals do not know their size and say 0.
    columns: isTerminal && stdout.columns > 0 ? stdout.columns : undefined,
    rows: isTerminal && stdout.rows > 0 ? stdout.rows : undefined,
    colour: isTerminal && !noColour && env['TERM'] !== 'dumb',
  };
}

async function readSpec(flag: string | undefined): Promise<ClusterSpec> {
  const { loadCluster } = await import('../src/cluster/file/index.ts');
  return await loadCluster({ env: process.env, ...(flag === undefined ? {} : { flag }) });
}

async function openClient(clusterSpec: () => Promise<ClusterSpec>): Promise<ClusterClient> {
  const spec = await clusterSpec();
  const { connectCluster } = await import('../src/cluster/connect.ts');
  const { personOnTerminal } = await import('./terminal/person.ts');
  const person = personOnTerminal(spec);
  return connectCluster(spec, { env: process.env, ...person });
}
