/** Three nodes in network namespaces of their own, each with a member of an etcd, agents with groups on them, and cables that can be pulled. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentCommand } from '../hosts/cluster-file.ts';
import { Network } from '../hosts/network.ts';
import { EtcdMember, clientPort, peerPort } from '../store/etcd/member.ts';
import { ensureEtcd } from '../store/etcd/ensure-etcd.ts';
import { GroupsUnderTest } from './groups-under-test.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

const count = 3;

export class PartedCluster {
  readonly network: Network;
  readonly members: readonly EtcdMember[];
  readonly cluster: NshCluster;
  readonly groups: GroupsUnderTest;
  readonly #directory: string;

  private constructor(
    network: Network,
    members: readonly EtcdMember[],
    cluster: NshCluster,
    groups: GroupsUnderTest,
    directory: string,
  ) {
    this.network = network;
    this.members = members;
    this.cluster = cluster;
    this.groups = groups;
    this.#directory = directory;
  }

  /** @param ttlMs of the sessions of the agents, whole seconds. */
  static async start(ttlMs: number): Promise<PartedCluster> {
    const program = await ensureEtcd();
    const network = await Network.start(count);
    const directory = mkdtempSync(join(tmpdir(), 'nsh-parted-'));
    const peerUrls = network.ports.map(({ address }) => `http://${address}:${peerPort}`);
    const initialCluster = peerUrls.map((url, index) => `m${index}=${url}`).join(',');
    const members = network.ports.map(({ address, pid }, index) => {
      const name = `m${index}`;
      mkdirSync(join(directory, name));
      const peerUrl = peerUrls[index] ?? '';
      const spec = { program, name, host: address, peerUrl, initialCluster, certificates: undefined, network: pid };
      return new EtcdMember({ ...spec, directory: join(directory, name) });
    });
    for (const member of members) member.start();
    const cluster = await startCluster({
      count,
      host: (index) => {
        const port = network.ports[index];
        return port === undefined ? {} : { port };
      },
    });
    const urls = network.ports.map(({ address }) => `http://${address}:${clientPort}`);
    const file = await cluster.hosts.clusterFile({
      agentCommand: agentCommand.concat(` --session-ttl ${ttlMs / 1000}`),
      extra: `store: ${JSON.stringify({ etcd: urls })}`,
    });
    for (const { home } of cluster.hosts.hosts) {
      mkdirSync(join(home, '.config/nsh'), { recursive: true });
      writeFileSync(join(home, '.config/nsh/cluster.yaml'), readFileSync(file, 'utf8'));
    }
    for (const member of members) await waitUntil(() => member.isServing(), `etcd ${member.name} to serve`);
    const groups = await GroupsUnderTest.open(cluster.env, file);
    return new PartedCluster(network, members, cluster, groups, directory);
  }

  /** Index of the node whose member of etcd leads. */
  async etcdLeader(): Promise<number> {
    let index = -1;
    await waitUntil(async () => {
      const states = await Promise.all(this.members.map((member) => member.raftState()));
      index = states.findIndex((state) => state !== undefined && state.memberId === state.leader);
      return index !== -1;
    }, 'a leader of etcd');
    return index;
  }

  /** How many processes with that command line there are on all nodes, whoever knows of them. */
  running(command: string): number {
    const all = this.cluster.hosts.hosts.flatMap((host) => host.processes());
    return all.filter((each) => each.command === command).length;
  }

  async stop(): Promise<void> {
    this.groups.close();
    for (const index of this.members.keys()) await this.network.heal(index);
    await this.cluster.stop();
    await Promise.all(this.members.map((member) => member.kill()));
    await this.network.stop();
    rmSync(this.#directory, { recursive: true });
  }
}
