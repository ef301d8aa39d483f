/** What commands get that run inside the session: one cluster client for all of them, and for each line a signal of its own. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { ClusterSpec } from '../../src/cluster/node-spec.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { CommandContext, Terminal } from '../command.ts';

export interface SurroundingsOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** The FILE of `--cluster FILE`. */
  readonly clusterFlag: string | undefined;
}

export class Surroundings {
  readonly #options: SurroundingsOptions;
  #spec: Promise<ClusterSpec> | undefined;
  #client: Promise<ClusterClient> | undefined;

  constructor(options: SurroundingsOptions) {
    this.#options = options;
  }

  get terminal(): Terminal {
    const { stdout, env } = this.#options;
    const noColour = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
    return {
      columns: stdout.columns > 0 ? stdout.columns : undefined,
      rows: stdout.rows > 0 ? stdout.rows : undefined,
      colour: !noColour && env['TERM'] !== 'dumb',
    };
  }

  /** For one line. */
  context(signal: AbortSignal): CommandContext {
    const { stdin, stdout, stderr, env } = this.#options;
    return {
      stdin,
      stdout,
      stderr,
      terminal: this.terminal,
      env,
      cwd: process.cwd(),
      clusterSpec: () => this.clusterSpec(),
      cluster: () => this.cluster(),
      signal,
    };
  }

  /** What failed is tried again with the next line: the file may have been mended. */
  clusterSpec(): Promise<ClusterSpec> {
    this.#spec ??= this.#readSpec().catch((error: unknown) => {
      this.#spec = undefined;
      throw error;
    });
    return this.#spec;
  }

  cluster(): Promise<ClusterClient> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  close(): void {
    void this.#client?.then(
      (client) => client.close(),
      () => undefined,
    );
  }

  async #readSpec(): Promise<ClusterSpec> {
    const { clusterFlag, env } = this.#options;
    const { loadCluster } = await import('../../src/cluster/file/index.ts');
    return await loadCluster({ env, ...(clusterFlag === undefined ? {} : { flag: clusterFlag }) });
  }

  async #connect(): Promise<ClusterClient> {
    const spec = await this.clusterSpec();
    const { connectCluster } = await import('../../src/cluster/connect.ts');
    const { personOnTerminal } = await import('../terminal/person.ts');
    return connectCluster(spec, { env: this.#options.env, ...personOnTerminal(spec) });
  }
}

/** Fires on Ctrl-C while a line runs. */
export function interrupted(): NshError {
  return new NshError('cancelled', 'ended by SIGINT', { data: { signal: 'SIGINT' } });
}
