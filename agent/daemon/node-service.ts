/** What this node answers about itself: the methods that any agent, its own or another node's, may ask. */
import { resolve } from 'node:path';
import { toGpid } from '../../src/ids/gpid.ts';
import { homeDirectory } from '../../src/cluster/file/file-paths.ts';
import type { NodePaths } from '../../src/cluster/paths.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type {
  AgentStatus,
  CheckedParams,
  NodeInfo,
  Result,
  RunResult,
  ScreenResult,
} from '../../src/protocol/control.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { ExitStatus, ManagedProcess, ProcessTable } from '../../src/protocol/process.ts';
import type { SpawnParams } from '../../src/protocol/shim-control.ts';
import { programVersion, protocolVersions } from '../../src/protocol/version.ts';
import { bootState, disableBoot, enableBoot, type BootContext } from '../boot/boot.ts';
import { nodeInfo, ProcessScanner } from '../procfs/index.ts';
import { checkDirectory, findCommand } from './command-lookup.ts';
import { exitNow, recordNow } from '../lost-process.ts';
import { freshEnvironment } from './environment.ts';
import { killTargets } from './kill.ts';
import { isRunning } from './managed-table.ts';
import { readScreen } from './read-screen.ts';
import type { ShimPool } from './shim-pool.ts';
import type { Waiters } from './waiters.ts';

export interface NodeServiceOptions {
  readonly node: NodeSpec;
  readonly paths: NodePaths;
  readonly shims: ShimPool;
  readonly waiters: Waiters;
  /** As it is now. */
  readonly clusterFile: () => string | undefined;
  /** Of processes that ask for none. */
  readonly umask: number;
  readonly startedAtMs: number;
  readonly boot: BootContext;
  /** Ends this agent, after the answer is out. */
  readonly stop: (kill: boolean) => Promise<void>;
}

export type SpawnExtra = Partial<Pick<SpawnParams, 'replica' | 'killAtBootMs' | 'cgroup'>>;

export class NodeService {
  readonly #options: NodeServiceOptions;
  readonly #scanner = new ProcessScanner();

  constructor(options: NodeServiceOptions) {
    this.#options = options;
  }

  info(): Promise<NodeInfo> {
    return Promise.resolve({ ...nodeInfo(), managed: this.#options.shims.table.runningCount });
  }

  async ps(params: CheckedParams<'ps'>): Promise<ProcessTable> {
    if (params.ended === true) await this.#options.shims.needRecords();
    if (params.select === 'managed' || params.fresh === true) await this.#options.shims.refresh();
    const known = [...this.#options.shims.table.all()].filter((record) => record.forget !== true || isRunning(record));
    return await this.#scanner.scanNamed(params, known.map(recordNow));
  }

  async kill({
    targets,
    signal,
    force,
  }: CheckedParams<'kill'>): Promise<{ errors: ({ code: string; message: string } | null)[] }> {
    await this.#options.shims.needRecords();
    return { errors: await killTargets(this.#options.shims, this.#options.node, targets, signal, force === true) };
  }

  async run(params: CheckedParams<'run'>): Promise<RunResult> {
    const { pid, start, boot, shim } = await this.start(params);
    return { pid, start, boot, shim };
  }

  /** As `run`; `extra` is what only this agent itself asks of its shim. */
  async start(params: CheckedParams<'run'>, extra: SpawnExtra = {}): Promise<ManagedProcess> {
    const { node, shims, umask } = this.#options;
    const cwd = resolve(homeDirectory(process.env), params.cwd ?? '');
    checkDirectory(cwd);
    const environment = this.environment(params);
    const file = findCommand(params.argv[0] ?? '', environment['PATH'] ?? '', cwd);
    const shim = await shims.current();
    const process_ = await shim.call('spawn', {
      umask,
      ...params,
      ...extra,
      cwd,
      file,
      environment,
      gpidBase: toGpid(node.id, 1) - 1,
    });
    shims.table.put(process_);
    return process_;
  }

  /** Of a process that is started here. */
  environment(params: Pick<CheckedParams<'run'>, 'io' | 'pty' | 'env'>): Record<string, string> {
    const { node, paths } = this.#options;
    const facts = {
      node: node.id,
      agentSocket: paths.agentSocket,
      clusterFile: this.#options.clusterFile(),
      ...(params.io === 'pty' ? { term: params.pty?.term ?? 'xterm-256color' } : {}),
    };
    return freshEnvironment(process.env, facts, params.env ?? {});
  }

  async find({ processes }: CheckedParams<'find'>): Promise<{ found: (ManagedProcess | null)[] }> {
    await this.#options.shims.needRecords();
    await this.#options.shims.refresh();
    const { table } = this.#options.shims;
    const now = (record: ManagedProcess | undefined): ManagedProcess | null =>
      record === undefined ? null : recordNow(record);
    return { found: processes.map((ref) => now(table.find(ref))) };
  }

  async wait({ process: ref }: CheckedParams<'wait'>, signal: AbortSignal): Promise<ExitStatus> {
    await this.#options.shims.needRecords();
    const record = this.#options.shims.table.find(ref);
    if (record === undefined) throw this.#notManaged(ref.pid);
    return exitNow(record, record.exit ?? (await this.#options.waiters.wait(record, signal)));
  }

  async screen({ process: ref, scrollback }: CheckedParams<'screen'>, signal: AbortSignal): Promise<ScreenResult> {
    await this.#options.shims.needRecords();
    const record = this.#options.shims.table.find(ref);
    if (record === undefined) throw this.#notManaged(ref.pid);
    if (record.io !== 'pty')
      throw new NshError('unsupported', `${this.#name(ref.pid)} has no terminal; read its output with 'nsh logs'`);
    return await readScreen(this.#options.paths.processes, record, scrollback, signal);
  }

  async status(): Promise<AgentStatus> {
    const { shims, startedAtMs, boot } = this.#options;
    const table = [...shims.table.all()].filter(isRunning);
    return {
      version: programVersion,
      protocol: protocolVersions.max,
      pid: process.pid,
      startedAtMs,
      shims: shims.shims.map((shim) => ({
        lpid: shim.pid,
        id: shim.id,
        version: shim.version,
        processes: table.filter((record) => record.shim.id === shim.id).length,
      })),
      managed: table.length,
      rssKb: Math.round(process.memoryUsage.rss() / 1024),
      boot: await bootState(boot),
    };
  }

  async boot({ enable }: CheckedParams<'boot'>): Promise<Result<'boot'>> {
    const { boot } = this.#options;
    return await (enable ? enableBoot(boot) : disableBoot(boot));
  }

  async stop({ kill }: CheckedParams<'stop'>): Promise<Record<string, never>> {
    await this.#options.stop(kill);
    return {};
  }

  #name(pid: number): string {
    return `${toGpid(this.#options.node.id, pid)} on ${this.#options.node.name}`;
  }

  #notManaged(pid: number): NshError {
    const runs = this.#scanner.scan({ columns: ['pid'], pids: [pid] }).rows.length > 0;
    return runs
      ? new NshError(
          'notManaged',
          `${this.#name(pid)} was not started by nsh, so it has no terminal, output or exit status here`,
        )
      : new NshError('noSuchProcess', `${this.#name(pid)}: no such process`);
  }
}
