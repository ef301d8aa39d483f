/**
 * The processes of a group, or of one replica, by name: the store says on which nodes they are or were, and the nodes' own records which
 * process is the newest of each slot, also after it has ended. Where the store cannot be asked all nodes are.
 */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { readGroups } from '../../src/coordination/groups/snapshot.ts';
import { viewGroup, type GroupView } from '../../src/coordination/groups/view.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import { parseReplicaName, replicaName } from '../../src/policy/supervision/identity.ts';
import type { PsParams } from '../../src/protocol/control.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { ManagedProcess } from '../../src/protocol/process.ts';
import { gather, type Gathered } from '../gather.ts';
import { knownNodes } from '../ps/collect.ts';
import { describeExit } from '../run/exit-status.ts';
import type { NamedProcess } from '../run/find-managed.ts';
import { noSuchGroup } from './decide.ts';

export interface NamedReplica extends NamedProcess {
  /** `web/2`. */
  readonly name: string;
  readonly slot: number;
  readonly run: number;
  readonly isRunning: boolean;
}

export interface FoundReplicas {
  /** The newest process of each slot, by slot. */
  readonly replicas: readonly NamedReplica[];
  /** Nodes that have, or had, some of it, and did not answer. */
  readonly failures: Gathered<unknown>['failures'];
  /** Absent where the store could not be asked. */
  readonly known?: { readonly view: GroupView; readonly revision: bigint };
}

/**
 * @param word `web` or `web/2`.
 * @throws NshError `unknownGroup`, with near names; `noSuchProcess` for a slot that the group does not have; the store's where nobody
 *   knows of such a replica.
 */
export async function findReplicas(client: ClusterClient, word: string, signal: AbortSignal): Promise<FoundReplicas> {
  const { group, slot } = parseReplicaName(word) ?? { group: word };
  const place = await placeOf(client, group, signal);
  const params: PsParams = { columns: ['pid'], select: 'managed', ended: true };
  const { results, failures } = await gather(client, place.nodes, 'ps', params, { signal });
  const newest = new Map<number, NamedReplica>();
  for (const { node, result } of results) {
    for (const record of result.managed) {
      const { replica: mark } = record;
      if (mark?.group !== group || (slot !== undefined && mark.slot !== slot)) continue;
      const found = named(node, record, record.exit === undefined && record.boot === result.boot);
      if (found !== undefined && isNewer(found, newest.get(mark.slot))) newest.set(mark.slot, found);
    }
  }
  const replicas = [...newest.values()].sort((a, b) => a.slot - b.slot);
  if (place.error !== undefined && replicas.length === 0) throw place.error;
  const { known } = place;
  if (known !== undefined && slot !== undefined && replicas.length === 0) refuseSlot(known.view, slot);
  return { replicas, failures, ...(known === undefined ? {} : { known }) };
}

/**
 * The process of one replica that runs, or else ran last.
 * @throws NshError as `findReplicas`; `noSuchProcess` where it never ran, or the failure of the node that would know.
 */
export async function findReplica(client: ClusterClient, word: string, signal: AbortSignal): Promise<NamedReplica> {
  const { replicas, failures, known } = await findReplicas(client, word, signal);
  const [replica] = replicas;
  if (replica !== undefined) return replica;
  const [failure] = failures;
  if (failure !== undefined) throw failure.error;
  const { group } = parseReplicaName(word) ?? { group: word };
  const why = known?.view.replicas.find((each) => replicaName({ group, slot: each.slot }) === word)?.why;
  throw new NshError(
    'noSuchProcess',
    `${word} has not run yet${why === undefined ? '' : `: ${why}`}; 'nsh group show ${group}' tells more`,
  );
}

/** The same where it runs now. @throws NshError as `findReplica`; `noSuchProcess` where it has ended. */
export async function runningReplica(client: ClusterClient, word: string, signal: AbortSignal): Promise<NamedReplica> {
  const replica = await findReplica(client, word, signal);
  if (replica.isRunning) return replica;
  const { record, gpid, node } = replica;
  const how = record.exit === undefined ? 'has ended' : describeExit(record.exit, gpid);
  throw new NshError('noSuchProcess', `${word} does not run: ${node.name}: ${gpid} ${how}`);
}

interface Place {
  readonly nodes: readonly NodeSpec[];
  readonly known?: FoundReplicas['known'];
  readonly error?: NshError;
}

async function placeOf(client: ClusterClient, group: string, signal: AbortSignal): Promise<Place> {
  const all = knownNodes(client);
  try {
    const store = await client.store(signal);
    try {
      const snapshot = await readGroups(store, { signal });
      const view = viewGroup(snapshot, group);
      if (view === undefined) throw noSuchGroup(group, [...snapshot.wanted.keys()]);
      const places = [...snapshot.orders, ...snapshot.reports].filter(({ what }) => what.group === group);
      const ids = new Set(places.map(({ node }) => node));
      return { nodes: all.filter(({ id }) => ids.has(id)), known: { view, revision: snapshot.revision } };
    } finally {
      await store.close();
    }
  } catch (error) {
    const known = toNshError(error);
    if (signal.aborted || known.code === 'unknownGroup' || known.code === 'usage') throw error;
    return { nodes: all, error: known };
  }
}

function named(node: NodeSpec, record: ManagedProcess, isRunning: boolean): NamedReplica | undefined {
  if (record.replica === undefined) return undefined;
  const { slot, run } = record.replica;
  return { node, gpid: toGpid(node.id, record.pid), record, name: replicaName(record.replica), slot, run, isRunning };
}

function isNewer(a: NamedReplica, b: NamedReplica | undefined): boolean {
  if (b === undefined) return true;
  return a.isRunning === b.isRunning ? a.record.startedAtMs > b.record.startedAtMs : a.isRunning;
}

function refuseSlot({ name, wanted, replicas }: GroupView, slot: number): void {
  const count = wanted.spec.replicas;
  if (slot <= count || replicas.some((each) => each.slot === slot)) return;
  throw new NshError(
    'noSuchProcess',
    `there is no ${replicaName({ group: name, slot })}: ${name} has ${count === 1 ? 'one replica' : `${count} replicas`}`,
  );
}
