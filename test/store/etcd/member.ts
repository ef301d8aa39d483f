/** One etcd process of the tests: started, killed, frozen and started again on the same addresses and data. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Certificates } from './certificates.ts';

export interface MemberSpec {
  readonly program: string;
  readonly name: string;
  /** An own loopback address: nobody else can take its ports while it is down. */
  readonly host: string;
  /** Folder for data and log. */
  readonly directory: string;
  /** Where the others reach it. */
  readonly peerUrl: string;
  readonly initialCluster: string;
  readonly certificates: Certificates | undefined;
  /** Further options of the program, without their dashes. */
  readonly options?: Readonly<Record<string, string>>;
  /** PID of a process whose network namespace it gets; default: this machine's. */
  readonly network?: number;
}

export const clientPort = 2379;
export const peerPort = 2380;

export interface RaftState {
  readonly memberId: string;
  readonly leader: string;
  readonly revision: number;
}

export class EtcdMember {
  readonly spec: MemberSpec;
  #child: ChildProcess | undefined;
  #isStopped = false;

  constructor(spec: MemberSpec) {
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  /** Where clients reach it directly. */
  get url(): string {
    return `${this.spec.certificates === undefined ? 'http' : 'https'}://${this.spec.host}:${clientPort}`;
  }

  /** 0 where it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isUp(): boolean {
    return this.#child !== undefined && !this.#isStopped;
  }

  /** Returns when the process runs, not when it serves: `isServing`. It dies with this process. */
  start(): void {
    const { program, directory, network } = this.spec;
    const enter = network === undefined ? [] : ['nsenter', `--net=/proc/${network}/ns/net`];
    const log = openSync(`${directory}/log`, 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...enter, program, ...this.#arguments()], {
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'] },
    });
    closeSync(log);
    this.#child = child;
    this.#isStopped = false;
  }

  /** SIGKILL, and waits for its end. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Of one that is not running: everything is gone, as after a restore from an empty backup. */
  async forget(): Promise<void> {
    await rm(`${this.spec.directory}/data`, { recursive: true });
  }

  freeze(): void {
    this.#isStopped = this.#child?.kill('SIGSTOP') ?? false;
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
    this.#isStopped = false;
  }

  /** It has joined, knows a leader, and answers a linearizable read. */
  async isServing(): Promise<boolean> {
    if (!this.isUp) return false;
    return await this.#http('GET', '/health').then(
      (text) => text.includes('"true"'),
      () => false,
    );
  }

  /** By way of etcd's JSON gateway, so that nothing under test takes part. */
  async raftState(): Promise<RaftState | undefined> {
    if (!this.isUp) return undefined;
    try {
      const answer = JSON.parse(await this.#http('POST', '/v3/maintenance/status')) as {
        header?: { member_id?: string; revision?: string };
        leader?: string;
      };
      const { member_id: memberId = '0', revision = '0' } = answer.header ?? {};
      return { memberId, leader: answer.leader ?? '0', revision: Number(revision) };
    } catch {
      return undefined; // Down, or coming up: the caller asks again.
    }
  }

  async log(): Promise<string> {
    return await readFile(`${this.spec.directory}/log`, 'utf8');
  }

  #arguments(): string[] {
    const { name, host, directory, peerUrl, initialCluster, certificates } = this.spec;
    const options: Record<string, string> = {
      name,
      'data-dir': `${directory}/data`,
      'listen-client-urls': this.url,
      'advertise-client-urls': this.url,
      'listen-peer-urls': `http://${host}:${peerPort}`,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': initialCluster,
      'heartbeat-interval': '100',
      'election-timeout': '1000',
      logger: 'zap',
      'log-level': 'warn',
    };
    if (certificates !== undefined) {
      options['cert-file'] = certificates.serverCert;
      options['key-file'] = certificates.serverKey;
      options['trusted-ca-file'] = certificates.ca;
      options['client-cert-auth'] = 'true';
    }
    return Object.entries({ ...options, ...this.spec.options }).map(([option, value]) => `--${option}=${value}`);
  }

  async #http(method: string, path: string): Promise<string> {
    const tls = await this.spec.certificates?.read();
    const request = tls === undefined ? httpRequest : httpsRequest;
    return await new Promise((resolve, reject) => {
      const sent = request(`${this.url}${path}`, { method, agent: false, timeout: 1_000, ...tls }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve(text)).on('error', reject);
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer'))).on('error', reject);
      sent.end(method === 'POST' ? '{}' : undefined);
    });
  }
}
