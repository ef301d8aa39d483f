/** Groups on a store in this process, for the commands that speak of them; the leader's and the agents' part is written by hand. */
import type { Command } from '../../shell/command.ts';
import { nodesetCommand } from '../../shell/commands/nodeset.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { groupCommand } from '../../shell/commands/group.ts';
import { nodeCommand } from '../../shell/commands/node.ts';
import { scaleCommand } from '../../shell/commands/scale.ts';
import { readGroups } from '../../src/coordination/groups/snapshot.ts';
import type { ReplicaReport } from '../../src/policy/supervision/order.ts';
import { versionOf } from '../../src/policy/supervision/spec.ts';
import { writeOrder, writePresence, writeReport, writeStatus } from '../../src/policy/supervision/stored.ts';
import { aliveKey, orderKey, reportKey, statusKey } from '../../src/policy/supervision/store-keys.ts';
import type { GroupStatus, NodePresence, Wanted } from '../../src/policy/supervision/wanted.ts';
import type { Store } from '../../src/store/store.ts';
import { OracleCore, OracleStore } from '../store/oracle.ts';
import { runCommand, type CommandRun } from './run-command.ts';
import { nodesOf, storeClient } from './store-client.ts';

const commands: readonly Command[] = [groupCommand, scaleCommand, nodeCommand, nodesetCommand];
export const threeNodes = nodesOf('web1=front', 'web2=front', 'db1');

export class World {
  readonly core = new OracleCore();
  readonly store: Store = new OracleStore(this.core);
  /** Stands between the next commands and the store. */
  wrap: (store: Store) => Store = (store) => store;

  async nsh(line: string): Promise<CommandRun> {
    const [word = '', ...args] = line.split(' ');
    const command = commands.find(({ name }) => name === word);
    if (command === undefined) throw new Error(line);
    return await runCommand(command, args, { client: this.client, spec: this.client.spec });
  }

  get client(): ClusterClient {
    return storeClient(threeNodes, this.core, (store) => this.wrap(store));
  }

  async put(key: string, text: string): Promise<void> {
    await this.store.txn([], [{ op: 'put', key, value: Buffer.from(text) }]);
  }

  async wanted(name: string): Promise<Wanted | undefined> {
    return (await readGroups(this.store)).wanted.get(name)?.wanted;
  }

  async come(node: number, over: Partial<NodePresence> = {}): Promise<void> {
    const name = threeNodes[node - 1]?.name ?? '';
    await this.put(
      aliveKey(node),
      writePresence({
        name,
        boot: 'b',
        fences: true,
        memTotalBytes: 2 ** 30,
        memAvailableBytes: 2 ** 29,
        memoryLimit: 'cgroup',
        ...over,
      }),
    );
  }

  /** What the leader and the node make of it. */
  async act(node: number, name: string, replicas: readonly Partial<ReplicaReport>[]): Promise<void> {
    const wanted = await this.wanted(name);
    if (wanted === undefined) throw new Error(name);
    const { spec, round } = wanted;
    const version = versionOf(spec, wanted.restarts);
    const full = replicas.map((each, index): ReplicaReport => {
      return { slot: index + 1, run: 1, version, phase: 'ready', ...each };
    });
    const slots = full.map(({ slot, version: its }) => ({ slot, version: its }));
    const versions = new Map([[version, spec]]);
    await this.put(
      orderKey(node, name),
      writeOrder({ group: name, epoch: 1n, round, scope: 'node', spec, versions, slots }),
    );
    const report = { group: name, epoch: 1n, serial: 1n, round, replicas: full, restarted: 0 };
    await this.put(reportKey(node, name), writeReport(report));
    await this.say(name);
  }

  /** The leader's word on it as it stands. */
  async say(name: string, over: Partial<GroupStatus> = {}): Promise<void> {
    const known = (await readGroups(this.store)).wanted.get(name);
    const { revision: serial = 0n, wanted } = known ?? {};
    const status = { serial, round: wanted?.round ?? 1, outdated: [], waits: new Map<number, string>(), ...over };
    await this.put(statusKey(name), writeStatus(status));
  }
}
