/** This machine alone as the cluster, with a state directory of its own whose path may be too long for sockets. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunnerTestCase } from 'vitest';
import { nodePaths, type NodePaths } from '../../src/cluster/paths.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import { checkout } from '../hosts/cluster-file.ts';
import { isRunning } from './nsh-cluster.ts';
import { RunningNsh, type NshResult } from './nsh-program.ts';
import { waitUntil } from './wait-until.ts';

export class OneMachine {
  readonly directory = mkdtempSync(join(tmpdir(), 'nsh-one-'));
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly paths: NodePaths;
  readonly #running = new Set<RunningNsh>();
  readonly #daemons = new Set<number>();

  /** @param state name of the directory that the state lies in. */
  constructor(state = 's') {
    const stateHome = join(this.directory, state);
    mkdirSync(stateHome);
    this.env = { PATH: process.env['PATH'], HOME: this.directory, LANG: 'C.UTF-8', XDG_STATE_HOME: stateHome };
    this.paths = nodePaths(this.env, 'local', nodeId(0));
  }

  spawn(...args: readonly string[]): RunningNsh {
    const running = new RunningNsh(args, this.env);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  async nsh(...args: readonly string[]): Promise<NshResult> {
    const running = this.spawn(...args);
    running.child.stdin.end();
    const result = await running.end();
    this.#note();
    return result;
  }

  /** `nsh run -d ARGS`: the PID. */
  async start(...args: readonly string[]): Promise<number> {
    const { stdout, stderr } = await this.nsh('run', '-d', ...args);
    if (!/^\d+\n$/.test(stdout)) throw new Error(`run -d ${args.join(' ')}: ${stdout}${stderr}`);
    return Number(stdout);
  }

  /** `nsh-agent OPTIONS start`: what it prints. */
  async startAgent(...options: readonly string[]): Promise<string> {
    const words = [...options, 'start', '--cluster', 'local', '--node', '0', '--name', 'localhost'];
    const child = spawn(process.execPath, [join(checkout, 'dist/nsh-agent.js'), ...words], { env: { ...this.env } });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child, 'close');
    this.#note();
    return text;
  }

  /** PID of the agent that runs, by its own lock; undefined where none does. */
  agentPid(): number | undefined {
    const pid = Number(read(this.paths.agentLock)?.split(' ')[0]);
    return pid > 0 && isRunning(pid) ? pid : undefined;
  }

  /** PIDs of shims that run. */
  async shimPids(): Promise<number[]> {
    const rows = JSON.parse((await this.nsh('agent', 'status', '--json')).stdout) as { shims: { lpid: number }[] }[];
    return rows.flatMap(({ shims }) => shims.map(({ lpid }) => lpid));
  }

  /** For `afterEach`, where tests need nothing of each other: as `NshCluster.cleanAfter`. */
  async cleanAfter({ result }: RunnerTestCase): Promise<void> {
    if (result?.state !== 'fail') return;
    const running = [...this.#running];
    for (const each of running) each.kill('SIGKILL');
    await Promise.all(running.map(({ ended }) => ended));
    const agent = this.agentPid();
    if (agent !== undefined) process.kill(agent, 'SIGKILL');
    await waitUntil(() => this.agentPid() === undefined, 'the end of the agent');
    await this.nsh('agent', 'stop', '--kill');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    mkdirSync(this.env['XDG_STATE_HOME'] ?? this.directory, { recursive: true });
  }

  async stop(): Promise<void> {
    for (const running of this.#running) running.kill('SIGKILL');
    await this.nsh('agent', 'stop', '--kill');
    await waitUntil(() => ![...this.#daemons].some(isRunning), 'the end of the agents');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  #note(): void {
    const pid = this.agentPid();
    if (pid !== undefined) this.#daemons.add(pid);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // Not there.
  }
}
