/**
 * N hosts behind real OpenSSH servers on this machine, for integration tests and benchmarks. Each has its own loopback address, sshd,
 * host key, home, and (where the kernel lets it) PID, mount and UTS namespaces. Nothing is installed and nothing is left behind.
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterFileText, type ClusterFileOptions } from './cluster-file.ts';
import { sshClientConfig, type SshdOptions } from './config.ts';
import { ensureSshd, type Openssh } from './ensure-sshd.ts';
import { Host } from './host.ts';
import { makeKeyPair } from './keys.ts';
import { waitUntilListening } from './listening.ts';
import { isolation, spawnHost, type Isolation } from './namespaces.ts';
import type { Port } from './network.ts';
import { prepareHost, type HostPlan } from './prepare.ts';
import { parents, pidNamespace } from './proc.ts';

export interface HostOptions extends SshdOptions {
  /** Default: prefix and number, `n1`. */
  readonly name?: string;
  /** Default: the number. */
  readonly id?: number;
  /** Where its sshd listens, in a network of its own. Default: a loopback address of this machine. */
  readonly port?: Port;
}

export interface HostsOptions {
  /** Default 3. */
  readonly count?: number;
  /** Default `n`. */
  readonly prefix?: string;
  /** All hosts have one home directory, as over NFS. */
  readonly sharedHome?: boolean;
  /** Options of the host with this index (from 0). */
  readonly host?: (index: number) => HostOptions;
  /** Do without namespaces even where they are permitted. */
  readonly isolation?: 'none';
}

export interface Hosts {
  readonly hosts: readonly Host[];
  readonly openssh: Openssh;
  /** For whatever a test writes; stop() removes it. */
  readonly directory: string;
  /** As `ssh -F`. */
  readonly sshConfig: string;
  readonly knownHosts: string;
  /** Path of the private key that every host accepts; `.pub` beside it. */
  readonly userKey: string;
  /** How the hosts are kept apart. `none`: they see each other's processes, so say so and leave such a test out. */
  readonly isolation: Isolation;
  host(name: string): Host;
  /** Writes a cluster file of these hosts, `cluster.yaml` in the directory, and answers its path. */
  clusterFile(options?: ClusterFileOptions): Promise<string>;
  /** Cuts a host's power and boots it again: nothing of it runs on, its disk stays, and nobody but sshd is started. Needs namespaces as root. */
  reboot(name: string): Promise<Host>;
  /** Ends every process of every host and removes the directory. @throws Error where a process is left. */
  stop(): Promise<void>;
}

let calls = 0;

export async function startHosts(options: HostsOptions = {}): Promise<Hosts> {
  const openssh = await ensureSshd();
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'nsh-hosts-')));
  const userKey = join(directory, 'id_ed25519');
  const key = makeKeyPair();
  await writeFile(userKey, key.privateKey, { mode: 0o600 });
  await writeFile(`${userKey}.pub`, `${key.publicKey} nsh-test\n`);
  const kind = options.isolation ?? isolation();
  const plans = await planHosts(options, { directory, openssh, kind, authorizedKey: key.publicKey });
  const children = plans.map((plan) => spawnHost(plan.start));
  try {
    await waitUntilListening(
      plans.map((plan) => plan.facts),
      20_000,
      () => firstFailure(plans, children),
    );
  } catch (error) {
    for (const child of children) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const hosts = findHosts(plans, children, kind);
  const knownHosts = join(directory, 'known_hosts');
  const sshConfig = join(directory, 'ssh_config');
  const facts = hosts.map((host) => host.facts);
  await writeFile(knownHosts, facts.map(knownHostsLine).join(''), { mode: 0o600 });
  await writeFile(sshConfig, sshClientConfig(facts, { userKey, knownHosts }), { mode: 0o600 });
  return {
    hosts,
    openssh,
    directory,
    sshConfig,
    knownHosts,
    userKey,
    isolation: kind,
    host(name) {
      const known = hosts.find((host) => host.name === name);
      if (known === undefined) throw new Error(`no test host ${name}`);
      return known;
    },
    async clusterFile(file = {}) {
      const path = join(directory, file.fileName ?? 'cluster.yaml');
      await writeFile(path, clusterFileText(facts, sshConfig, file));
      return path;
    },
    async reboot(name) {
      const index = hosts.findIndex((host) => host.name === name);
      const [plan, before] = [plans[index], hosts[index]];
      if (plan === undefined || before === undefined || kind !== 'root')
        throw new Error(`${name} cannot be booted again`);
      await before.stop();
      await writeFile(join(plan.start.directory, 'boot_id'), `${randomUUID()}\n`);
      const child = spawnHost(plan.start);
      await waitUntilListening([plan.facts], 20_000, () => firstFailure([plan], [child]));
      const [after] = findHosts([plan], [child], kind);
      if (after === undefined) throw new Error(`${name} has not come up`);
      hosts[index] = after;
      return after;
    },
    async stop() {
      try {
        const ends = await Promise.allSettled(hosts.map((host) => host.stop()));
        const failed = ends.find((end) => end.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}

interface Common {
  readonly directory: string;
  readonly openssh: Openssh;
  readonly kind: Isolation;
  readonly authorizedKey: string;
}

/** Addresses come from this process's PID and ports from the call, so that tests side by side never meet. */
async function planHosts(options: HostsOptions, common: Common): Promise<HostPlan[]> {
  const call = ++calls;
  const block = process.pid % (254 * 256);
  const passwd = await readFile('/etc/passwd', 'utf8');
  return Promise.all(
    Array.from({ length: options.count ?? 3 }, async (_, index) => {
      const own = options.host?.(index) ?? {};
      return prepareHost({
        index,
        id: own.id ?? index + 1,
        name: own.name ?? `${options.prefix ?? 'n'}${index + 1}`,
        network: own.port?.pid,
        address: own.port?.address ?? `127.${1 + Math.floor(block / 256)}.${block % 256}.${1 + (index % 250)}`,
        port: 20_000 + call + 1_000 * Math.floor(index / 250),
        parent: join(common.directory, 'hosts'),
        home: options.sharedHome === true ? join(common.directory, 'home') : undefined,
        options: own,
        authorizedKey: common.authorizedKey,
        passwd,
        openssh: common.openssh,
        isolation: common.kind,
        mark: randomBytes(8).toString('hex'),
      });
    }),
  );
}

/** What the first sshd that ended had to say. */
async function firstFailure(
  plans: readonly HostPlan[],
  children: readonly ChildProcess[],
): Promise<string | undefined> {
  const index = children.findIndex((child) => child.exitCode !== null || child.signalCode !== null);
  const plan = plans[index];
  if (plan === undefined) return undefined;
  const log = await readFile(join(plan.start.directory, 'sshd.log'), 'utf8');
  const { name, isolation: kind } = plan.facts;
  // Without a mount namespace root's sshd cannot be lent what the machine lacks.
  const hint =
    kind === 'none' && process.getuid?.() === 0 ? '. Permit unshare(1), or add a user sshd and /run/sshd' : '';
  return `test host ${name} did not start (isolation: ${kind}): ${log.trim()}${hint}`;
}

/** unshare(1) is our child; the host's PID 1 is its child, and all that runs there shares that one's PID namespace. */
function findHosts(plans: readonly HostPlan[], children: readonly ChildProcess[], kind: Isolation): Host[] {
  const childOf = new Map([...parents()].map(([child, parent]) => [parent, child]));
  return plans.map((plan, index) => {
    const child = children[index];
    const pid = kind === 'none' ? child?.pid : childOf.get(child?.pid ?? 0);
    if (child === undefined || pid === undefined) throw new Error(`test host ${plan.facts.name} has no process`);
    const namespace = kind === 'none' ? undefined : pidNamespace(pid);
    return new Host({ ...plan.facts, pid }, child, namespace === undefined ? { mark: plan.mark } : { namespace });
  });
}

function knownHostsLine(facts: { address: string; port: number; hostKey: string }): string {
  return `[${facts.address}]:${facts.port} ${facts.hostKey}\n`;
}
