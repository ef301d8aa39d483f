/** Eight hosts behind real sshd whose agents take part in groups, over either store, and what their daemons cost. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GroupsUnderTest } from '../../e2e/groups-under-test.ts';
import { startCluster, type NshCluster } from '../../e2e/nsh-cluster.ts';
import { EtcdCluster } from '../../store/etcd/cluster.ts';

export type StoreKind = 'embedded' | 'etcd';

export interface GroupSetting {
  /** As it is named in figures. */
  readonly who: string;
  readonly cluster: NshCluster;
  readonly groups: GroupsUnderTest;
  /** Undefined: the store is embedded in the agent of the first host. */
  readonly etcd: EtcdCluster | undefined;
  stop(): Promise<void>;
}

export const hostCount = 8;

export async function startGroupSetting(kind: StoreKind): Promise<GroupSetting> {
  const etcd = kind === 'etcd' ? await EtcdCluster.start({ asDeployed: true }) : undefined;
  const extra = etcd === undefined ? '' : `store: {etcd: ${JSON.stringify(etcd.urls)}}`;
  const cluster = await startCluster({ count: hostCount, file: { extra, cluster: `bench-${kind}` } });
  // The nodes find the store by themselves, and with the embedded one log in to each other.
  for (const { home } of cluster.hosts.hosts) {
    mkdirSync(join(home, '.config/nsh'), { recursive: true });
    writeFileSync(join(home, '.config/nsh/cluster.yaml'), readFileSync(cluster.file));
  }
  const groups = await GroupsUnderTest.open(cluster.env);
  return {
    who: etcd === undefined ? 'embedded' : 'etcd of three',
    cluster,
    groups,
    etcd,
    stop: async () => {
      groups.close();
      await cluster.stop();
      await etcd?.stop();
    },
  };
}

/** All agents take part, as where groups are in use: what is started then is spread over all. @returns what ends that. */
export async function gather({ groups }: GroupSetting): Promise<() => Promise<void>> {
  const name = 'gathered';
  await groups.start({ name, command: ['sleep', '100000'], replicas: hostCount });
  await groups.untilReady(name, hostCount, 60_000);
  return async () => await groups.remove(name);
}

/** PIDs, as this machine has them, of the nodes' daemons of that kind. */
export function daemons({ cluster }: GroupSetting, name: 'nsh-agent' | 'nsh-shim' | 'sshd'): number[] {
  return cluster.hosts.hosts.flatMap((host) =>
    host
      .processes()
      .filter(({ command }) => command.startsWith(name))
      .map(({ outerPid }) => outerPid),
  );
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
