/**
 * Real hosts with their cluster file, and the `nsh` command with a state directory of its own: what the end-to-end tests work on.
 * `stop` ends everything and fails where a process, socket or file is left.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunnerTestCase } from 'vitest';
import type { Host } from '../hosts/host.ts';
import type { ClusterFileOptions } from '../hosts/cluster-file.ts';
import { startHosts, type Hosts, type HostsOptions } from '../hosts/start-hosts.ts';
import { RunningNsh, type NshOptions, type NshResult } from './nsh-program.ts';
import { waitUntil } from './wait-until.ts';

export interface ClusterOptions extends HostsOptions {
  readonly file?: ClusterFileOptions;
}

export interface AgentRow {
  readonly node: string;
  readonly state: string;
  readonly version: string | null;
  readonly pid: number | null;
  readonly lpid: number | null;
  readonly shims: readonly { readonly lpid: number }[];
  readonly managed: number;
}

export class NshCluster {
  readonly hosts: Hosts;
  /** Path of the cluster file that every command gets as $NSH_CLUSTER. */
  readonly file: string;
  /** Short, so that sockets of this machine's agent lie in it. */
  readonly directory: string;
  readonly #running = new Set<RunningNsh>();

  constructor(hosts: Hosts, file: string, directory: string) {
    this.hosts = hosts;
    this.file = file;
    this.directory = directory;
  }

  get env(): Record<string, string | undefined> {
    return {
      PATH: process.env['PATH'],
      HOME: this.directory,
      LANG: 'C.UTF-8',
      TMPDIR: process.env['TMPDIR'],
      XDG_STATE_HOME: this.stateHome,
      XDG_CACHE_HOME: join(this.directory, 'cache'),
      NSH_CLUSTER: this.file,
    };
  }

  get stateHome(): string {
    return join(this.directory, 'state');
  }

  host(name: string): Host {
    return this.hosts.host(name);
  }

  /** `nsh ARGS` to its end. */
  async nsh(args: readonly string[], options: NshOptions = {}): Promise<NshResult> {
    const running = this.spawnNsh(args, options);
    running.child.stdin.end(options.input ?? '');
    return await running.end(options.timeoutMs);
  }

  /** `nsh ARGS` that goes on; its stdin stays open. */
  spawnNsh(args: readonly string[], options: Pick<NshOptions, 'env'> = {}): RunningNsh {
    const running = new RunningNsh(args, { ...this.env, ...options.env });
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  /** `nsh run -d ARGS`: the cluster PID. */
  async start(...args: readonly string[]): Promise<number> {
    const { stdout, stderr, status } = await this.nsh(['run', '-d', ...args]);
    if (status !== 0 || !/^\d+\n$/.test(stdout))
      throw new Error(`run -d ${args.join(' ')}: ${status} ${stdout}${stderr}`);
    return Number(stdout);
  }

  async agents(): Promise<AgentRow[]> {
    return JSON.parse((await this.nsh(['agent', 'status', '--json'])).stdout) as AgentRow[];
  }

  /** PID of a node's agent as the node sees it, `localhost` for this machine's. */
  async agentPid(node: string): Promise<number> {
    const lpid = (await this.agents()).find((row) => row.node === node)?.lpid;
    if (lpid === undefined || lpid === null) throw new Error(`no agent runs on ${node}`);
    return lpid;
  }

  /** PIDs of this machine's agents (of any cluster) and their shims, as their own files tell them; no agent is asked. */
  localDaemons(): number[] {
    return [...this.#files('agent.lock')]
      .map((path) => Number(readFileSync(path, 'latin1').split(' ')[0]))
      .concat(
        [...this.#files('shim.json')].map((path) => (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid),
      )
      .filter((pid) => isRunning(pid));
  }

  /**
   * For `afterEach`, where tests need nothing of each other and `beforeAll` has left nothing: after a test that has failed all that runs is
   * ended, and state and homes are emptied, so that neither its second try nor the next test finds what it has left.
   */
  async cleanAfter({ result }: RunnerTestCase): Promise<void> {
    if (result?.state !== 'fail') return;
    await this.#endCommands();
    const own = this.localDaemons();
    for (const pid of own) signal(pid, 'SIGKILL');
    await waitUntil(() => !own.some(isRunning), "the end of this machine's agents");
    await rm(this.stateHome, { recursive: true, force: true });
    await Promise.all(this.hosts.hosts.map((host) => host.clean()));
  }

  async #endCommands(): Promise<void> {
    const leftRunning = [...this.#running];
    for (const running of leftRunning) running.kill('SIGKILL');
    await Promise.all(leftRunning.map((running) => running.ended));
  }

  async stop(): Promise<void> {
    await this.#endCommands();
    const problems: string[] = [];
    const own = this.localDaemons();
    try {
      for (const pid of own) signal(pid, 'SIGTERM');
      await waitUntil(() => !own.some(isRunning), "the end of this machine's agents", 10_000).catch((error: unknown) =>
        problems.push(String(error)),
      );
      for (const pid of own) if (isRunning(pid)) signal(pid, 'SIGKILL');
      const sockets = [...this.#files('.sock')];
      if (sockets.length > 0) problems.push(`sockets are left: ${sockets.join(' ')}`);
    } finally {
      await rm(this.directory, { recursive: true, force: true });
      await this.hosts.stop();
    }
    if (existsSync(this.directory)) problems.push(`${this.directory} is left`);
    if (problems.length > 0) throw new Error(problems.join('; '));
  }

  *#files(ending: string, directory = this.stateHome): Generator<string, void, void> {
    if (!existsSync(directory)) return;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) yield* this.#files(ending, path);
      else if (entry.name.endsWith(ending)) yield path;
    }
  }
}

export async function startCluster(options: ClusterOptions = {}): Promise<NshCluster> {
  const hosts = await startHosts(options);
  const file = await hosts.clusterFile(options.file);
  return new NshCluster(hosts, file, await mkdtemp(join(tmpdir(), 'nsh-e2e-')));
}

/** False for a zombie: nothing of it runs. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false; // It has ended and was reaped.
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
