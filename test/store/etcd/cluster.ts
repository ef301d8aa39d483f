/**
 * A real etcd of one or three members for the tests, each on a loopback address of its own. Clients reach a member directly or through a
 * proxy, and members reach each other through proxies that know who calls, so that any two can be parted without root.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { waitUntil } from '../../e2e/wait-until.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { ensureEtcd } from './ensure-etcd.ts';
import { clientPort, EtcdMember, peerPort } from './member.ts';
import { TcpProxy } from './tcp-proxy.ts';

const clientProxyPort = 12_379;
const peerProxyPort = 12_380;

export interface EtcdOptions {
  /** Default 3. */
  readonly members?: number;
  /** Clients must show a certificate. Default false. */
  readonly tls?: boolean;
  /** Of each member's program, without their dashes. */
  readonly options?: Readonly<Record<string, string>>;
  /** For figures: data on the disk, and nothing of ours between the members. Default false. */
  readonly asDeployed?: boolean;
}

export class EtcdCluster {
  readonly members: readonly EtcdMember[];
  /** To each member, for clients. */
  readonly proxies: readonly TcpProxy[];
  readonly certificates: Certificates | undefined;
  readonly #directory: string;
  readonly #peerProxies: readonly TcpProxy[];
  readonly #idsByName = new Map<string, string>();
  /** `from>to`, by name: nothing goes through. */
  readonly #parted = new Set<string>();

  private constructor(
    directory: string,
    members: readonly EtcdMember[],
    proxies: readonly TcpProxy[],
    peerProxies: readonly TcpProxy[],
    certificates: Certificates | undefined,
  ) {
    this.#directory = directory;
    this.members = members;
    this.proxies = proxies;
    this.#peerProxies = peerProxies;
    this.certificates = certificates;
    for (const [index, proxy] of peerProxies.entries()) {
      proxy.admits = (first) => this.#isJoined(callerOf(first), this.member(index).name);
    }
  }

  /** Returns when all members serve. */
  static async start({
    members: count = 3,
    tls = false,
    options = {},
    asDeployed = false,
  }: EtcdOptions = {}): Promise<EtcdCluster> {
    const program = await ensureEtcd();
    // In memory where there is such a place: a machine that loses power is not among the faults, a killed process is.
    const isInMemory = !asDeployed && existsSync('/dev/shm');
    const directory = await mkdtemp(join(isInMemory ? '/dev/shm' : tmpdir(), 'nsh-etcd-'));
    const hosts = await freeHosts(count);
    const certificates = tls ? await makeCertificates(directory, hosts) : undefined;
    const peerUrls = hosts.map((host) => `http://${host}:${asDeployed ? peerPort : peerProxyPort}`);
    const initialCluster = peerUrls.map((url, index) => `m${index}=${url}`).join(',');
    const members = hosts.map((host, index) => {
      const spec = {
        program,
        host,
        initialCluster,
        certificates,
        options,
        name: `m${index}`,
        peerUrl: peerUrls[index] ?? '',
      };
      return new EtcdMember({ ...spec, directory: join(directory, spec.name) });
    });
    const proxied = (port: number, target: number): Promise<TcpProxy[]> =>
      Promise.all(hosts.map((host) => TcpProxy.listen({ host, port }, { host, port: target })));
    const [proxies, peerProxies] = [await proxied(clientProxyPort, clientPort), await proxied(peerProxyPort, peerPort)];
    const cluster = new EtcdCluster(directory, members, proxies, peerProxies, certificates);
    for (const { spec } of members) await mkdir(spec.directory);
    for (const member of members) member.start();
    await cluster.waitUntilServing();
    for (const member of members) {
      const state = await member.raftState();
      if (state !== undefined) cluster.#idsByName.set(member.name, state.memberId);
    }
    return cluster;
  }

  member(index: number): EtcdMember {
    const member = this.members[index];
    if (member === undefined) throw new Error(`no member ${index}`);
    return member;
  }

  proxy(index: number): TcpProxy {
    const proxy = this.proxies[index];
    if (proxy === undefined) throw new Error(`no member ${index}`);
    return proxy;
  }

  /** Directly. */
  get urls(): string[] {
    return this.members.map(({ url }) => url);
  }

  /** By way of the proxies. */
  get proxiedUrls(): string[] {
    return this.members.map(({ url }) => url.replace(`:${clientPort}`, `:${clientProxyPort}`));
  }

  /** Members that run, default all, answer linearizable reads. */
  async waitUntilServing(members: readonly EtcdMember[] = this.members): Promise<void> {
    for (const member of members) {
      await waitUntil(() => member.isServing(), `etcd ${member.name} to serve`, 20_000).catch(async (error: Error) => {
        throw new Error(`${error.message}:\n${await member.log()}`, { cause: error });
      });
    }
  }

  /** The member that all whom one can ask take for the leader; waits for it. */
  async leader(): Promise<number> {
    let found = -1;
    await waitUntil(async () => {
      const states = await Promise.all(this.members.map((member) => member.raftState()));
      const known = states.filter((state) => state !== undefined);
      const named = known[0]?.leader ?? '0';
      found = states.findIndex((state) => state?.memberId === named);
      return found !== -1 && known.length * 2 > states.length && known.every(({ leader }) => leader === named);
    }, 'etcd to agree on a leader');
    return found;
  }

  async follower(): Promise<number> {
    return ((await this.leader()) + 1) % this.members.length;
  }

  /** Parts a member from all others, both ways; its clients still reach it. */
  isolate(index: number): void {
    const { name } = this.member(index);
    for (const other of this.members) {
      if (other.name === name) continue;
      this.#parted.add(`${name}>${other.name}`);
      this.#parted.add(`${other.name}>${name}`);
    }
    for (const proxy of this.#peerProxies) proxy.cutAll();
  }

  /** Clients reach this member alone, until `heal`: whoever connects now stays with it afterwards. */
  admitOnly(index: number): void {
    for (const [other, proxy] of this.proxies.entries()) proxy.mode = other === index ? 'pass' : 'refuse';
  }

  /** Joins all members, and lets all clients through. */
  heal(): void {
    this.#parted.clear();
    for (const proxy of this.proxies) {
      proxy.mode = 'pass';
      proxy.delayMs = 0;
      proxy.cutsAnswer = () => false;
    }
  }

  /** Everything runs, joined and serving again, whatever was done to it. */
  async restore(): Promise<void> {
    this.heal();
    for (const member of this.members) {
      member.thaw();
      if (!member.isUp) member.start();
    }
    await this.waitUntilServing();
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    await Promise.all([...this.proxies, ...this.#peerProxies].map((proxy) => proxy.close()));
    await rm(this.#directory, { recursive: true });
  }

  #isJoined(callerId: string | undefined, to: string): boolean {
    if (this.#parted.size === 0) return true;
    const from = this.members.find(({ name }) => hexId(this.#idsByName.get(name)) === callerId);
    // Who does not say who it is asks for versions and health, nothing that raft hears of; let it wait, too.
    return from !== undefined && !this.#parted.has(`${from.name}>${to}`);
  }
}

/** Members say who they are in each request's header (rafthttp). */
function callerOf(first: Buffer): string | undefined {
  return /^X-Server-From: ([0-9a-f]+)\r$/im.exec(first.toString('latin1'))?.[1];
}

function hexId(decimal: string | undefined): string | undefined {
  return decimal === undefined ? undefined : BigInt(decimal).toString(16);
}

/** Loopback addresses on which nobody listens at etcd's port. */
async function freeHosts(count: number): Promise<string[]> {
  const byte = (): number => 1 + Math.floor(Math.random() * 250);
  for (;;) {
    const net = `127.${byte()}.${byte()}`;
    const hosts = Array.from({ length: count }, (_, index) => `${net}.${index + 1}`);
    const areFree = await Promise.all(hosts.map((host) => isFree(host)));
    if (areFree.every(Boolean)) return hosts;
  }
}

async function isFree(host: string): Promise<boolean> {
  const server = createServer();
  const isTaken = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(true));
    server.listen(clientPort, host, () => resolve(false));
  });
  if (isTaken) return false;
  server.close();
  await once(server, 'close');
  return true;
}
