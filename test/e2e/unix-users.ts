/**
 * Several Unix users of the same real hosts, each with a home, an account on every host and the `nsh` command of this machine under their own
 * user id. Only root can make them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, appendFileSync, chmodSync, chownSync, constants, copyFileSync, existsSync } from 'node:fs';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout, clusterFileText } from '../hosts/cluster-file.ts';
import { sshClientConfig } from '../hosts/config.ts';
import type { Hosts } from '../hosts/start-hosts.ts';
import { isRunning } from './nsh-cluster.ts';
import { RunningNsh, type NshOptions, type NshResult } from './nsh-program.ts';
import { waitUntil } from './wait-until.ts';

export const canBeUsers = process.getuid?.() === 0;

export class UnixUser {
  readonly name: string;
  readonly uid: number;
  /** Home here; `state` in it is for nsh. */
  readonly directory: string;
  readonly #hosts: Hosts;
  readonly #running = new Set<RunningNsh>();

  /** @param uid of nobody else on this machine. */
  constructor(hosts: Hosts, name: string, uid: number) {
    this.#hosts = hosts;
    this.name = name;
    this.uid = uid;
    this.directory = join(hosts.directory, name);
    // Others find nothing in a directory that they may only pass through.
    chmodSync(hosts.directory, 0o711);
    this.#own(this.directory);
    for (const host of hosts.hosts) {
      appendFileSync(
        join(host.facts.directory, 'passwd'),
        `${name}:x:${uid}:${uid}::${this.homeOn(host.name)}:/bin/bash\n`,
      );
      this.#own(this.homeOn(host.name));
    }
    const files = { userKey: join(this.directory, 'key'), knownHosts: join(this.directory, 'known_hosts') };
    copyFileSync(hosts.userKey, files.userKey);
    copyFileSync(hosts.knownHosts, files.knownHosts);
    const facts = hosts.hosts.map((host) => ({ ...host.facts, user: name }));
    writeFileSync(this.#sshConfig, sshClientConfig(facts, files));
    for (const file of readdirSync(this.directory)) this.#give(join(this.directory, file), 0o600);
    const here = `${readFileSync('/etc/passwd', 'utf8').trimEnd()}\n${name}:x:${uid}:${uid}::${this.directory}:/bin/bash\n`;
    writeFileSync(this.#passwd, here, { mode: 0o644 });
    this.writeClusterFile('');
  }

  get stateHome(): string {
    return join(this.directory, 'state');
  }

  homeOn(host: string): string {
    return join(this.#hosts.host(host).facts.directory, `home-${this.name}`);
  }

  /** Here, and where agents find it on every host; everybody's cluster is called `test`. */
  writeClusterFile(extra: string): void {
    const facts = this.#hosts.hosts.map((host) => host.facts);
    const text = clusterFileText(facts, this.#sshConfig, { extra });
    this.writeFile(this.#clusterFile, text, 0o644);
    for (const { name } of facts) {
      const config = join(this.homeOn(name), '.config/nsh');
      this.#own(dirname(config));
      this.#own(config);
      this.writeFile(join(config, 'cluster.yaml'), text, 0o644);
    }
  }

  writeFile(path: string, text: string, mode: number): void {
    writeFileSync(path, text, { mode });
    this.#give(path, mode);
  }

  async nsh(args: readonly string[], options: NshOptions = {}): Promise<NshResult> {
    const running = this.spawn(args, options.env);
    running.child.stdin.end(options.input ?? '');
    return await running.end(options.timeoutMs);
  }

  spawn(args: readonly string[], env: NshOptions['env'] = {}): RunningNsh {
    const running = new RunningNsh(args, { ...this.env, ...env }, this.#behind);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  get env(): Record<string, string | undefined> {
    return {
      PATH: process.env['PATH'],
      HOME: this.directory,
      LANG: 'C.UTF-8',
      XDG_STATE_HOME: this.stateHome,
      NSH_CLUSTER: this.#clusterFile,
    };
  }

  /** Exit status of a program of this user. */
  async run(argv: readonly string[]): Promise<number | null> {
    const [file = '', ...rest] = [...this.#behind, ...argv];
    const child = spawn(file, rest, { stdio: 'ignore', cwd: '/' });
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  /** Ends this user's agents here. Those on hosts end with them. */
  async stop(): Promise<void> {
    for (const running of this.#running) running.kill('SIGKILL');
    const daemons = [...this.files(this.stateHome)]
      .filter((path) => /\/(?:agent\.lock|shim\.json)$/.test(path))
      .map((path) => Number(/\d+/.exec(/"pid":\d+|^\d+/.exec(readFileSync(path, 'latin1'))?.[0] ?? '')?.[0]))
      .filter((pid) => isRunning(pid));
    for (const pid of daemons) process.kill(pid, 'SIGTERM');
    await waitUntil(() => !daemons.some((pid) => isRunning(pid)), `the end of the agents of ${this.name}`);
  }

  /** Regular files below a directory. */
  *files(directory: string): Generator<string, void, void> {
    if (!existsSync(directory)) return;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) yield* this.files(path);
      else if (entry.isFile()) yield path;
    }
  }

  /** This machine does not know the user, and ssh(1) wants one that is known: it is, in a mount namespace of what is run. */
  get #behind(): string[] {
    const be = `mount -n --bind "$0" /etc/passwd && exec setpriv --reuid=${this.uid} --regid=${this.uid} --clear-groups "$@"`;
    return ['unshare', '--mount', 'sh', '-c', be, this.#passwd];
  }

  get #passwd(): string {
    return join(this.directory, 'passwd');
  }

  get #sshConfig(): string {
    return join(this.directory, 'ssh_config');
  }

  get #clusterFile(): string {
    return join(this.directory, 'cluster.yaml');
  }

  #own(directory: string): void {
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
    this.#give(directory, 0o700);
  }

  #give(path: string, mode: number): void {
    chownSync(path, this.uid, this.uid);
    chmodSync(path, mode);
  }
}

/** @throws Error where other users could not run what is built. */
export function checkOthersMayRun(): void {
  for (let path = join(checkout, 'dist'); path !== '/'; path = dirname(path)) {
    accessSync(path, constants.X_OK);
    if ((statSync(path).mode & 0o005) !== 0o005)
      throw new Error(`other users cannot run what is built: ${path} is not theirs to pass`);
  }
}
