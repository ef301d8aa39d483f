/** Three real nodes with groups, and an etcd. n1 alone reaches that by way of a proxy, which can misbehave. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentCommand } from '../hosts/cluster-file.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { GroupsUnderTest } from './groups-under-test.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

export class GroupsCluster {
  readonly etcd: EtcdCluster;
  readonly cluster: NshCluster;
  readonly groups: GroupsUnderTest;

  private constructor(etcd: EtcdCluster, cluster: NshCluster, groups: GroupsUnderTest) {
    this.etcd = etcd;
    this.cluster = cluster;
    this.groups = groups;
  }

  /** @param ttlMs of the sessions of the agents, whole seconds. */
  static async start(ttlMs: number): Promise<GroupsCluster> {
    const [etcd, cluster] = await Promise.all([
      EtcdCluster.start({ members: 1 }),
      startCluster({ count: 3, file: { fileName: 'first.yaml' } }),
    ]);
    const command = agentCommand.concat(` --session-ttl ${ttlMs / 1000}`);
    const fileOf = ([url = '']: readonly string[], fileName: string): Promise<string> =>
      cluster.hosts.clusterFile({ agentCommand: command, extra: `store: {etcd: [${JSON.stringify(url)}]}`, fileName });
    const files = { n1: await fileOf(etcd.proxiedUrls, 'n1.yaml'), others: await fileOf(etcd.urls, 'cluster.yaml') };
    for (const { name, home } of cluster.hosts.hosts) {
      mkdirSync(join(home, '.config/nsh'), { recursive: true });
      const text = readFileSync(name === 'n1' ? files.n1 : files.others, 'utf8');
      writeFileSync(join(home, '.config/nsh/cluster.yaml'), text);
    }
    return new GroupsCluster(etcd, cluster, await GroupsUnderTest.open(cluster.env, files.others));
  }

  /** PID of the agent or the shim on a node, as the node has it. */
  daemonOf(name: string, kind: 'nsh-agent' | 'nsh-shim'): number {
    const daemons = this.cluster.host(name).processes();
    const daemon = daemons.find(({ command }) => command.startsWith(kind));
    if (daemon === undefined) throw new Error(`no ${kind} runs on ${name}`);
    return daemon.pid;
  }

  /** What the agent of a node has logged. */
  logOf(name: string): string {
    const { stateHome, id } = this.cluster.host(name);
    return readFileSync(join(stateHome, 'nsh/test', String(id), 'agent.log'), 'utf8');
  }

  async stop(): Promise<void> {
    this.groups.close();
    await this.cluster.stop();
    await this.etcd.stop();
  }
}
