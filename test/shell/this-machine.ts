/** The built `nsh` on this machine alone, with a state directory of its own: real agent, real shim. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nshProgram, RunningNsh, type NshOptions, type NshResult } from '../e2e/nsh-program.ts';
import { waitUntil } from './wait-until.ts';

export class ThisMachine {
  /** Short, so that the sockets lie in it. */
  readonly directory = mkdtempSync('/tmp/nsh-m-');
  readonly env: Readonly<Record<string, string | undefined>> = {
    PATH: process.env['PATH'],
    HOME: this.directory,
    LANG: 'C.UTF-8',
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
    const [path] = this.#files('agent.lock');
    if (path === undefined) throw new Error('no agent runs');
    return Number(readFileSync(path, 'latin1').split(' ')[0]);
  }

  shimPid(): number {
    const [path] = this.#files('shim.json');
    if (path === undefined) throw new Error('no shim runs');
    return (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid;
  }

  /** Ends everything that was started here. */
  async stop(): Promise<void> {
    const left = [...this.#running];
    for (const running of left) running.kill('SIGKILL');
    await Promise.all(left.map((running) => running.ended));
    await this.nsh(['agent', 'stop', '--kill']);
    const sockets = (): string[] => [...this.#files('.sock')];
    await waitUntil('no socket is left', () => sockets().length === 0);
    rmSync(this.directory, { recursive: true, force: true });
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
