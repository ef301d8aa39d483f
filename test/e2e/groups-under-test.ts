/** Groups as tests work with them: what is wanted is put into the store as the commands do, and what the store tells is read. */
import { connectCluster } from '../../src/cluster/connect.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import { untilAnswered } from '../../src/coordination/patience.ts';
import type { ReplicaReport } from '../../src/policy/supervision/order.ts';
import { parseGroupSpec, type WrittenSpec } from '../../src/policy/supervision/parse-spec.ts';
import {
  drainedKey,
  readNodeGroupKey,
  reportPrefixes,
  statusKey,
  wantedKey,
} from '../../src/policy/supervision/store-keys.ts';
import { readReport, readStatus, readWanted, writeDrained, writeWanted } from '../../src/policy/supervision/stored.ts';
import type { GroupStatus, Wanted } from '../../src/policy/supervision/wanted.ts';
import type { Store } from '../../src/store/store.ts';
import { waitUntil } from './wait-until.ts';

export interface SeenReplica extends ReplicaReport {
  readonly node: number;
}

/** An etcd that has lost its leader, or one member too many, answers later. ms */
const answerMs = 15_000;

export class GroupsUnderTest {
  readonly client: ClusterClient;
  readonly store: Store;

  private constructor(client: ClusterClient, store: Store) {
    this.client = client;
    this.store = store;
  }

  static async open(env: Readonly<Record<string, string | undefined>>, file?: string): Promise<GroupsUnderTest> {
    const spec = await loadCluster({ env, ...(file === undefined ? {} : { flag: file }) });
    const client = connectCluster(spec, { env });
    return new GroupsUnderTest(client, await client.store());
  }

  async start(written: WrittenSpec & { readonly name: string }): Promise<void> {
    await this.want(written);
    await this.supervise();
  }

  /** Nobody is asked to take part. */
  async want(written: WrittenSpec & { readonly name: string }): Promise<void> {
    const before = await this.wanted(written.name);
    await this.#put(written.name, { spec: parseGroupSpec(written), round: (before?.round ?? 0) + 1, restarts: 0 });
  }

  /** Every node takes part, or that one. */
  async supervise(name?: string): Promise<void> {
    const problems: string[] = [];
    const nodes = this.client.nodes.filter((node) => name === undefined || node.name === name);
    for await (const { node, result, error } of this.client.fanout(nodes, 'supervise', {})) {
      const problem = error?.message ?? result?.problem ?? undefined;
      if (problem !== undefined) problems.push(`${node.name}: ${problem}`);
    }
    if (problems.length > 0) throw new Error(problems.join('; '));
  }

  async change(group: string, alter: (before: Wanted) => Wanted): Promise<void> {
    const before = await this.wanted(group);
    if (before === undefined) throw new Error(`${group} is not wanted`);
    await this.#put(group, alter(before));
  }

  async wanted(group: string): Promise<Wanted | undefined> {
    const text = await this.#text(wantedKey(group));
    return text === undefined ? undefined : readWanted(text, group);
  }

  async status(group: string): Promise<GroupStatus | undefined> {
    const text = await this.#text(statusKey(group));
    return text === undefined ? undefined : readStatus(text, group);
  }

  async drain(node: number, isDrained: boolean): Promise<void> {
    const value = Buffer.from(writeDrained({ atMs: Date.now(), by: 'test' }));
    const key = drainedKey(node);
    await this.store.txn([], [isDrained ? { op: 'put', key, value } : { op: 'delete', key }]);
  }

  /** As the nodes report them, by slot. */
  async replicas(group: string): Promise<SeenReplica[]> {
    const { entries } = await untilAnswered(AbortSignal.timeout(answerMs), () => this.store.list(reportPrefixes));
    const seen = entries.flatMap(({ key, value }) => {
      const of = readNodeGroupKey(reportPrefixes, key);
      if (of?.group !== group) return [];
      const { replicas } = readReport(Buffer.from(value).toString('utf8'), group);
      return replicas.map((replica) => ({ ...replica, node: of.node }));
    });
    return seen.sort((a, b) => a.slot - b.slot);
  }

  /** PIDs on their nodes of so many ready replicas, by slot; nothing else is reported of the group. */
  async untilReady(group: string, count: number, timeoutMs?: number): Promise<SeenReplica[]> {
    let seen: SeenReplica[] = [];
    const isSo = async (): Promise<boolean> => {
      seen = await this.replicas(group);
      return seen.length === count && seen.every(({ phase, pid }) => phase === 'ready' && pid !== undefined);
    };
    try {
      await waitUntil(isSo, `${count} ready replicas of ${group}`, timeoutMs);
    } catch (error) {
      const status = await this.#text(statusKey(group));
      throw new Error(`${String(error)}: ${JSON.stringify(seen)} ${status}`, { cause: error });
    }
    return seen;
  }

  async remove(group: string): Promise<void> {
    await this.change(group, (before) => ({ ...before, rest: 'removed' }));
    await waitUntil(async () => (await this.wanted(group)) === undefined, `the removal of ${group}`);
  }

  close(): void {
    this.client.close();
  }

  async #put(group: string, wanted: Wanted): Promise<void> {
    await this.store.txn([], [{ op: 'put', key: wantedKey(group), value: Buffer.from(writeWanted(wanted)) }]);
  }

  async #text(key: string): Promise<string | undefined> {
    const { entry } = await untilAnswered(AbortSignal.timeout(answerMs), () => this.store.get(key));
    return entry === undefined ? undefined : Buffer.from(entry.value).toString('utf8');
  }
}
