/** The built `nsh` on this machine alone, with a state directory of its own: real agent, real shim. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nshProgram, RunningNsh, type NshOptions, type NshResult } from '../e2e/nsh-program.ts';
import { isRunning } from '../e2e/nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

export class ThisMachine {
  /** The sockets lie in it, where TMPDIR is not long. */
  readonly directory = mkdtempSync(join(tmpdir(), 'nsh-m-'));
  readonly env: Readonly<Record<string, string | undefined>> = {
    PATH: process.env['PATH'],
    HOME: this.directory,
    LANG: 'C.UTF-8',
    TMPDIR: process.env['TMPDIR'],
    XDG_STATE_HOME: join(this.directory, 'state'),
    XDG_CACHE_HOME: join(this.directory, 'cache'),
    NSH_CLUSTER: undefined,
  };
  readonly #running = new Set<RunningNsh>();

  /** The words of a command line, for a PTY. */
  words(...args: readonly string[]): string[] {
    return [process.execPath, nshProgram, ...args];
  }

  /** `nsh ARGS` that goes on; its stdin stays open. */
  spawn(...args: readonly string[]): RunningNsh {
    const running = new RunningNsh(args, this.env);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  /** `nsh ARGS` to its end. */
  async nsh(args: readonly string[], options: Pick<NshOptions, 'input'> = {}): Promise<NshResult> {
    const running = this.spawn(...args);
    running.child.stdin.end(options.input ?? '');
    return await running.end();
  }

  async start(...args: readonly string[]): Promise<number> {
    const { stdout, stderr } = await this.nsh(['run', '-d', ...args]);
    if (!/^\d+\n$/.test(stdout)) throw new Error(`run -d ${args.join(' ')}: ${stdout}${stderr}`);
    return Number(stdout);
  }

  agentPid(): number {
    return this.#agents()[0] ?? fail('no agent runs');
  }

  shimPid(): number {
    return this.#shims().find(isRunning) ?? fail('no shim runs');
  }

  #agents(): number[] {
    return [...this.#files('agent.lock')].map((path) => Number(readFileSync(path, 'latin1').split(' ')[0]));
  }

  #shims(): number[] {
    return [...this.#files('shim.json')].map((path) => (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid);
  }

  #daemons(): number[] {
    return [...this.#agents(), ...this.#shims()];
  }

  /** Ends everything that was started here. */
  async stop(): Promise<void> {
    const left = [...this.#running];
    for (const running of left) running.kill('SIGKILL');
    await Promise.all(left.map((running) => running.ended));
    const daemons = this.#daemons();
    await this.nsh(['agent', 'stop', '--kill']);
    await waitUntil('agent and shims have ended', () => {
      for (const pid of this.#daemons()) {
        // A shim that the agent started while it ended, to read the records of those that it killed.
        if (!daemons.includes(pid) && isRunning(pid)) process.kill(pid, 'SIGTERM');
      }
      return ![...daemons, ...this.#daemons()].some(isRunning);
    });
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  *#files(ending: string, directory = this.directory): Generator<string, void, void> {
    if (!existsSync(directory)) return;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) yield* this.#files(ending, path);
      else if (entry.name.endsWith(ending)) yield path;
    }
  }
}

function fail(why: string): never {
  throw new Error(why);
}
