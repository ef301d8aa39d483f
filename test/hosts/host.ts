/** One test host: an sshd of its own, and everything that runs behind it. */
import { execFile, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { enterHost, type Isolation } from './namespaces.ts';
import { listProcesses, type Belonging, type HostProcess } from './proc.ts';

export interface HostFacts {
  readonly index: number;
  /** Node id in the cluster file. */
  readonly id: number;
  /** Node name, Host block of the ssh_config, and hostname inside. */
  readonly name: string;
  /** Its own loopback address, 127.x.y.z. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly home: string;
  /** Where agents on this host keep their state: `$HOME/.local/state`. */
  readonly stateHome: string;
  /** Holds sshd_config, sshd.log and the host key; not visible as the home. */
  readonly directory: string;
  /** Public host key, `ssh-ed25519 BASE64`. */
  readonly hostKey: string;
  /** PID of its sshd as this machine sees it. */
  readonly pid: number;
  readonly isolation: Isolation;
  /** PID of a process in its network namespace, where it has one of its own. */
  readonly network?: number | undefined;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export class Host {
  readonly facts: HostFacts;
  readonly #child: ChildProcess;
  readonly #belonging: Belonging;

  constructor(facts: HostFacts, child: ChildProcess, belonging: Belonging) {
    this.facts = facts;
    this.#child = child;
    this.#belonging = belonging;
  }

  get name(): string {
    return this.facts.name;
  }
  get address(): string {
    return this.facts.address;
  }
  get port(): number {
    return this.facts.port;
  }
  get home(): string {
    return this.facts.home;
  }
  get stateHome(): string {
    return this.facts.stateHome;
  }
  get pid(): number {
    return this.facts.pid;
  }
  get id(): number {
    return this.facts.id;
  }

  /** Everything that runs on the host, sshd included. */
  processes(): HostProcess[] {
    // A PID namespace ends with its first process and all that is in it; its number may be another's from then on.
    if (this.#hasEnded && 'namespace' in this.#belonging) return [];
    return listProcesses(this.#belonging);
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Signals a process by its PID on the host. */
  kill(pid: number, signal: NodeJS.Signals): void {
    const known = this.processes().find((process) => process.pid === pid);
    if (known === undefined) throw new Error(`no process ${pid} on ${this.name}`);
    process.kill(known.outerPid, signal);
  }

  /** Runs a command on the host without ssh, as its user, with its home. */
  async exec(argv: readonly string[], options: { readonly input?: string } = {}): Promise<CommandResult> {
    const [file = '', ...rest] = [...enterHost(this.facts.isolation, this.pid, this.#child.pid ?? 0), ...argv];
    const { home, user } = this.facts;
    const path = process.env['PATH'] ?? '/usr/bin:/bin';
    const env = { HOME: home, USER: user, LOGNAME: user, SHELL: '/bin/bash', PATH: path, NSH_TEST_HOST: this.mark };
    return new Promise((resolve, reject) => {
      const child = execFile(file, rest, { cwd: home, env, maxBuffer: 256 << 20 }, (error, stdout, stderr) => {
        if (error !== null && typeof error.code === 'string') reject(error);
        else resolve({ stdout, stderr, code: child.exitCode });
      });
      // A command that does not read its input ends first: no fault of the test.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input ?? '');
    });
  }

  /** A stopped node: every process stands still, sshd too; connections stay open and nothing answers. */
  pause(): void {
    this.#signalAll('SIGSTOP');
  }

  resume(): void {
    this.#signalAll('SIGCONT');
  }

  /** Ends everything on the host at once, as a power cut does. @throws Error where a process is left. */
  async stop(): Promise<void> {
    if (this.facts.isolation !== 'none' && !this.#hasEnded) send(this.pid, 'SIGKILL');
    // Without a namespace new processes may appear while we look: look again until there are none.
    for (let round = 0; round < 100 && 'mark' in this.#belonging && this.processes().length > 0; round += 1) {
      this.#signalAll('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (!this.#hasEnded) await once(this.#child, 'exit');
    const left = this.processes();
    if (left.length > 0) throw new Error(`left on ${this.name}: ${left.map((process) => process.command).join('; ')}`);
  }

  /** Ends everything but its sshd, empties the home, and lets it go on where it stood still: as it was at the start. */
  async clean(): Promise<void> {
    if (this.#hasEnded) return;
    const others = (): HostProcess[] => this.processes().filter(({ outerPid }) => outerPid !== this.pid);
    for (let round = 0; round < 100 && others().length > 0; round += 1) {
      for (const { outerPid } of others()) send(outerPid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const name of await readdir(this.home))
      await rm(join(this.home, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    send(this.pid, 'SIGCONT');
  }

  get mark(): string {
    return 'mark' in this.#belonging ? this.#belonging.mark : '';
  }

  #signalAll(name: NodeJS.Signals): void {
    for (const { outerPid } of this.processes()) send(outerPid, name);
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
