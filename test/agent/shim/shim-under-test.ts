/** A real shim in a directory of its own, with a control connection to it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as v from 'valibot';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import type { ExitedParams, shimMethods, SpawnParams } from '../../../src/protocol/shim-control.ts';
import { RpcPeer } from '../../../src/rpc/peer.ts';
import { buildPrograms } from './build.ts';

type Methods = typeof shimMethods;

export interface ShimSetup {
  readonly keepEnded?: number;
  readonly keepAgeSeconds?: number;
  readonly idleSeconds?: number;
  readonly graceMs?: number;
  readonly openFiles?: number;
  /** Share the directories of another shim. */
  readonly beside?: ShimUnderTest;
  /** Records here rather than in the shim's own directory. */
  readonly processes?: string;
}

let count = 0;

export class ShimUnderTest {
  readonly root: string;
  readonly directory: string;
  readonly processes: string;
  readonly socket: string;
  readonly exited: ExitedParams[] = [];
  readonly started: ManagedProcess[] = [];
  readonly #child: ChildProcess;
  readonly #ownsRoot: boolean;
  #peer: RpcPeer | undefined;

  private constructor(program: string, setup: ShimSetup) {
    this.#ownsRoot = setup.beside === undefined;
    this.root = setup.beside?.root ?? mkdtempSync(join(tmpdir(), 'nsh-shim-'));
    this.directory = join(this.root, 'shims', `s${++count}`);
    this.processes = setup.processes ?? join(this.root, 'processes');
    this.socket = join(this.root, `s${count}.sock`);
    const words = ['--dir', this.directory, '--socket', this.socket, '--processes', this.processes];
    words.push('--keep-ended', String(setup.keepEnded ?? 1000), '--keep-age', String(setup.keepAgeSeconds ?? 86_400));
    words.push('--idle', String(setup.idleSeconds ?? 60), '--grace', String(setup.graceMs ?? 10_000));
    if (setup.openFiles !== undefined) words.push('--open-files', String(setup.openFiles));
    this.#child = spawn(process.execPath, [program, ...words], {
      argv0: 'nsh-shim',
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
  }

  static async start(setup: ShimSetup = {}): Promise<ShimUnderTest> {
    const shim = new ShimUnderTest(join(await buildPrograms(), 'nsh-shim.js'), setup);
    const ready = shim.#child.stdio[3];
    if (ready === null || ready === undefined) throw new Error('no descriptor 3');
    await once(ready, 'data');
    shim.#peer = await shim.connect();
    return shim;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async connect(): Promise<RpcPeer> {
    const stream = connect({ path: this.socket, allowHalfOpen: true });
    await once(stream, 'connect');
    return new RpcPeer(stream, {
      name: 'the shim',
      onNotification: (method, params) => {
        if (method === 'exited') this.exited.push(params as ExitedParams);
        if (method === 'started') this.started.push((params as { process: ManagedProcess }).process);
      },
    });
  }

  async call<M extends keyof Methods>(
    method: M,
    params: v.InferInput<Methods[M]['params']>,
  ): Promise<v.InferOutput<Methods[M]['result']>> {
    if (this.#peer === undefined) throw new Error('the shim is not up');
    return (await this.#peer.request(method, params, { deadlineMs: 20_000 })) as v.InferOutput<Methods[M]['result']>;
  }

  spawn(argv: string[], more: Partial<SpawnParams> = {}): Promise<ManagedProcess> {
    return this.call('spawn', spawnParams(argv, more));
  }

  /** Ends the control connection alone. */
  hangUp(): void {
    this.#peer?.close();
  }

  recordDirectory({ pid, start, boot }: { pid: number; start: number; boot: string }): string {
    return join(this.processes, `${pid}-${start}-${boot.slice(0, 8)}`);
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  async gone(): Promise<void> {
    if (this.isRunning) await once(this.#child, 'exit');
  }

  /** Ends the shim with all its processes and removes its files. */
  async stop(): Promise<void> {
    if (this.isRunning) {
      try {
        await this.call('stop', { kill: true });
      } catch {
        this.kill();
      }
    }
    await this.gone();
    this.#peer?.close();
    if (this.#ownsRoot) rmSync(this.root, { recursive: true, force: true });
  }
}

export function spawnParams(argv: string[], more: Partial<SpawnParams> = {}): SpawnParams {
  return {
    argv,
    file: more.file ?? programFile(argv[0] ?? ''),
    cwd: '/tmp',
    environment: { PATH: '/usr/bin:/bin', HOME: '/root', PWD: '/tmp' },
    gpidBase: 30_000_000,
    io: 'pipes',
    keepBytes: 64 * 1024,
    onDisconnect: 'keep',
    starter: { gpid: 0, user: 'test', host: 'here' },
    ...more,
  };
}

export function programFile(name: string): string {
  if (name.includes('/')) return name;
  return (
    ['/usr/bin', '/bin'].map((directory) => join(directory, name)).find((path) => existsSync(path)) ??
    `/usr/bin/${name}`
  );
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
